"""What the screen remembers between sessions."""
