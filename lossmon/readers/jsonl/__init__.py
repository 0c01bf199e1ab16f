"""Reader for JSON lines."""
