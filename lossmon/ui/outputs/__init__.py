"""Model outputs without a widget."""
