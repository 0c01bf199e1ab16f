"""Grammar of one line of a text log."""
