"""Reader for W&B run files."""
