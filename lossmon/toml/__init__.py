"""TOML that is written: words are spelled, and one entry of a document is changed in its place."""
