"""All runs at once: which are shown, in which order, and what is told of each. Knows no screen."""
