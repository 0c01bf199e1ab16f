"""File access shared by all readers: tails, lines, encodings, databases."""
