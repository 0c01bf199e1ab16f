"""TOML files that users write by hand: how they are read and changed."""
