"""Panels of the screen: each shows its part of a scene and repaints only what changed."""
