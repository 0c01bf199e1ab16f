"""Dashboard without a widget: its lines, its charts and their places."""
