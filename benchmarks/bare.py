"""Smallest Textual app, the lower bound of the start-up time."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        yield Static("bare floor")


if __name__ == "__main__":
    Bare().run()
