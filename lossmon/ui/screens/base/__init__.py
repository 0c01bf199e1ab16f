"""Base classes of the screens: a page, a scene, and a screen with a text input."""
