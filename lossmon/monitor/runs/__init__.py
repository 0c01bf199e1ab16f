"""One run: its files, its state, its diagnosis feed and its notes."""
