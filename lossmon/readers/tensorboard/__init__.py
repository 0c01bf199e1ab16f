"""Reader for TensorBoard event files."""
