"""Screen: the only part that knows Textual."""
