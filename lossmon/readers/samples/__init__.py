"""Reader for text samples: prompts and model outputs."""
