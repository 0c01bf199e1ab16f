"""A compositor that sends the terminal the changed cells alone.

Textual repaints a changed line from the left edge of its widget on, and sets every colour again.
A live screen over a slow line pays for that: most of what it sends stands there already.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from rich.color import ColorSystem
from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip

from lossmon.ui.text.sequences import Pieces, collect, painted

Row = dict[int, Strip]
"""Pieces of a row, by the column in which each begins."""

_shown: WeakKeyDictionary[Console, dict[int, Row]] = WeakKeyDictionary()
"""Rows as the terminal of a console shows them, by their number; no row that is not known."""


def forget_shown(console: Console) -> None:
    """Send every row of the next whole picture: the terminal may show something else by now."""
    _shown.pop(console, None)


class DiffUpdate(ChopsUpdate):
    """Changed spans, grouped by style: the cursor may move without the colour being set again."""

    def render_segments(self, console: Console) -> str:
        """Return the sequences that bring the terminal up to date."""
        pieces: Pieces = {}
        shown = _shown.get(console, {})
        for y, start, end in self.spans:
            for stop, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= end or stop <= start:
                    continue
                before = shown.get(y, {}).get(x)
                if before == strip:
                    continue
                is_whole = start <= x and stop <= end
                if is_whole and before and before.cell_length == strip.cell_length:
                    shown[y][x] = strip
                else:
                    shown.pop(y, None)
                left, right = max(x, start), min(stop, end)
                collect(pieces, strip.crop(left - x, right - x), left, y)
        return painted(pieces, console._color_system or ColorSystem.TRUECOLOR)


class WholeUpdate(LayoutUpdate):
    """The parts of the whole screen that the terminal does not show already, grouped by style.

    Textual paints a view that opens or closes as a whole up to four times.
    """

    def render_segments(self, console: Console) -> str:
        """Return the sequences that draw them."""
        pieces: Pieces = {}
        shown = _shown.setdefault(console, {})
        for y, strips in enumerate(self.strips, self.region.y):
            x, row = self.region.x, Row()
            for strip in strips:
                row[x] = strip
                x += strip.cell_length
            before, shown[y] = shown.get(y, {}), row
            for x, strip in row.items():
                if before.get(x) != strip:
                    collect(pieces, strip, x, y)
        return painted(pieces, console._color_system or ColorSystem.TRUECOLOR)


class DiffCompositor(Compositor):
    """Renders the rows that changed, of widgets that can be seen there, and sends them leanly.

    Textual renders every widget within the smallest rectangle around all changes: with one change
    in the header and one in the lowest panel that is the whole screen.
    """

    _changed: tuple[Region, ...] = ()
    """What a partial update is about; empty otherwise."""

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        """Return all of the screen."""
        whole = super().render_full_update(simplify)
        return WholeUpdate(whole.strips, whole.region)

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return the changed spans, or None if nothing changed."""
        self._changed = tuple(self._dirty_regions)
        try:
            update = super().render_partial_update()
        finally:
            self._changed = ()
        if update is None:
            return None
        return DiffUpdate(update.chops, update.spans, update.chop_ends)

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Widgets with their region, the part of it that is rendered, and its lines."""
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        uncovered = self._changed
        # The widgets in front come first.
        for widget, (region, clip) in self.visible_widgets.items():
            area = region.intersection(clip)
            rows = [(one.y, one.bottom) for one in uncovered if area.overlaps(one)]
            if not rows:
                continue
            top = max(area.y, min(y for y, _ in rows))
            bottom = min(area.bottom, max(bottom for _, bottom in rows))
            part = Region(area.x, top, area.width, bottom - top)
            yield region, part, widget.render_lines(part.translate(-region.offset))
            uncovered = tuple(one for one in uncovered if not area.contains_region(one))
            if not uncovered:
                return


def forget_closed_widgets() -> None:
    """Free what views that were closed still hold.

    A widget refers to itself, so it is freed by the garbage collector alone, which counts objects:
    a closed view and the columns of its last scene, perhaps of 50 MB, are few. Textual also
    remembers the colours of a thousand widgets under their caches of lines.
    """
    StylesCache.get_inner_outer.cache_clear()
    gc.collect()
