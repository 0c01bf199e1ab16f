"""Smallest Textual app, the lower bound of the start-up time.

`python -m benchmarks.bare --live` changes a number in its line twice per second: the lower bound of
a live screen.
"""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line of text."""

    number = 0

    def compose(self) -> ComposeResult:
        yield Static("bare floor")

    def on_mount(self) -> None:
        if "--live" in sys.argv:
            self.set_interval(0.5, self.count)

    def count(self) -> None:
        """Show the next number."""
        self.number += 1
        self.query_one(Static).update(f"bare floor {self.number}")


if __name__ == "__main__":
    Bare().run()
