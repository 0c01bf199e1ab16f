"""A compositor that sends the terminal the changed cells alone.

Textual repaints a changed line from the left edge of its widget on, and sets every colour again.
A live screen over a slow line pays for that: most of what it sends stands there already.
"""

from __future__ import annotations

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.strip import Strip


class DiffUpdate(ChopsUpdate):
    """Changed spans, grouped by style: the cursor may move without the colour being set again."""

    def render_segments(self, console: Console) -> str:
        """Return the sequences that bring the terminal up to date."""
        runs: dict[Style, list[str]] = {}
        for y, start, end in self.spans:
            for stop, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is not None and x < end and stop > start:
                    left, right = max(x, start), min(stop, end)
                    _collect(runs, strip.crop(left - x, right - x), left, y)
        system = console._color_system or ColorSystem.TRUECOLOR
        return "".join(
            Strip.render_style(style, "".join(texts), system) for style, texts in runs.items()
        )


def _collect(runs: dict[Style, list[str]], strip: Strip, x: int, y: int) -> None:
    """Add the pieces of a strip to the texts of their styles, each behind a cursor movement."""
    before: Style | None = None
    for segment in strip:
        style = segment.style or Style.null()
        texts = runs.setdefault(style, [])
        if style != before:
            texts.append(Control.move_to(x, y).segment.text)
        texts.append(segment.text)
        x += segment.cell_length
        before = style


class DiffCompositor(Compositor):
    """Composes as ever; what it sends is lean."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return the changed spans, or None if nothing changed."""
        update = super().render_partial_update()
        if update is None:
            return None
        return DiffUpdate(update.chops, update.spans, update.chop_ends)
