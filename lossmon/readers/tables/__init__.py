"""Reader for CSV and TSV tables."""
