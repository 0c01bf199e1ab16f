"""Painting: lines in the colours of the app's theme."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from textual.app import App
from textual.strip import Strip

from lossmon.ui.text.lines import Line
from lossmon.ui.theme.palette import Palette

_palettes: WeakKeyDictionary[App[Any], tuple[dict[str, str], Palette]] = WeakKeyDictionary()


def palette_of(app: App[Any]) -> Palette:
    """The palette of the app's theme, made once a theme."""
    variables = app.theme_variables
    known = _palettes.get(app)
    if known is None or known[0] is not variables:
        known = (variables, Palette(variables, reverse=app.no_color))
        _palettes[app] = known
    return known[1]


def painted(palette: Palette, line: Line, room: int) -> Strip:
    """A line in the colours of a palette, exactly `room` cells wide."""
    return Strip(palette.segments(line, room)).crop(0, room)
