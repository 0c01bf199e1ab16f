"""Run comparison without a widget."""
