"""State that the screen keeps between sessions."""
