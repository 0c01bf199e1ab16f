"""Reader for text logs."""
