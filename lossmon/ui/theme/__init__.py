"""Themes and color palettes."""
