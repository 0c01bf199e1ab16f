"""Reader for JSON documents that are rewritten as a whole."""
