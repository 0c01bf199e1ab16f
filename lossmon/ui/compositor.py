"""A compositor that sends the terminal the changed cells alone.

Textual repaints a changed line from the left edge of its widget on, and sets every colour again.
A live screen over a slow line pays for that: most of what it sends stands there already.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual._styles_cache import StylesCache
from textual.geometry import Region
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
        return _painted(runs, console._color_system or ColorSystem.TRUECOLOR)


def _painted(texts: Mapping[Style, Sequence[str]], system: ColorSystem) -> str:
    """Texts behind their styles; a style says only how it differs from the one before it."""
    parts: list[str] = []
    before: Codes | None = None
    for codes, style in sorted(
        ((codes_of(style, system), style) for style in texts), key=lambda pair: pair[0].order
    ):
        text = "".join(texts[style])
        if style.link:
            parts.append(f"\x1b[0m{Strip.render_style(style, text, system)}")
            before = None
            continue
        if before is not None and codes.continues(before):
            parts.append(f"\x1b[{codes.foreground}m{text}")
        else:
            parts.append(f"\x1b[{'0;' if before else ''}{codes.whole or '0'}m{text}")
        before = codes
    return "".join([*parts, "\x1b[0m"]) if parts else ""


class Codes(NamedTuple):
    """The parameters of a style in a control sequence.

    Attributes:
        background: The background alone.
        attributes: Bold, italic and the like.
        foreground: Attributes and foreground; empty where the style leaves the foreground alone.
        whole: All of them.
    """

    background: str
    attributes: str
    foreground: str
    whole: str

    @property
    def order(self) -> tuple[str, str]:
        """Place among the styles of a picture: those that can continue each other in a row."""
        return self.background, self.attributes

    def continues(self, before: Codes) -> bool:
        """Whether the foreground is all that has to be set behind another style."""
        return (
            self.foreground != ""
            and self.background == before.background
            and before.attributes in ("", self.attributes)
        )


@lru_cache(maxsize=1024)
def codes_of(style: Style, system: ColorSystem) -> Codes:
    """The control parameters of a style."""
    attributes = style.without_color
    foreground = attributes + Style.from_color(style.color)
    return Codes(
        Strip.render_ansi(Style.from_color(None, style.bgcolor), system),
        Strip.render_ansi(attributes, system),
        Strip.render_ansi(foreground, system) if style.color else "",
        Strip.render_ansi(style, system),
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
    """Renders the rows that changed, of widgets that can be seen there, and sends them leanly.

    Textual renders every widget within the smallest rectangle around all changes: with one change
    in the header and one in the lowest panel that is the whole screen.
    """

    _changed: tuple[Region, ...] = ()
    """What a partial update is about; empty otherwise."""

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
