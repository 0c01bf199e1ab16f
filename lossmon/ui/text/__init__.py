"""Text of the screen: numbers, wrapping, languages."""
