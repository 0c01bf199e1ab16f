"""Styles of charts: which role of the theme paints each cell."""

from __future__ import annotations

from rich.style import Style

from lossmon.ui.chart.painter import LINES, SERIES, TINTED
from lossmon.ui.theme.palette import Palette

SERIES_ROLES = {
    "series-1": "train",
    "series-2": "eval",
    "series-3": "ok",
    "series-4": "warning",
    "series-5": "critical",
    "series-6": "notice",
    "series-7": "mark",
    "series-8": "bar",
}
"""The colours of runs that are laid over each other."""

_ROLES = {
    "blank": "foreground",
    "axis": "axis",
    "train": "train",
    "eval": "eval",
    "train-raw": "train-raw",
    "eval-raw": "eval-raw",
    "other": "train",
    "other-raw": "train-raw",
    **SERIES_ROLES,
    "ghost": "muted",
    "gap": "frame",
    "mark": "mark",
    "nan": "critical",
    "clipped": "muted",
    "restart": "muted",
    "verdict-neutral": "muted",
    "verdict-ok": "ok",
    "verdict-notice": "notice",
    "verdict-warning": "warning",
    "verdict-critical": "critical",
    "checkpoint": "muted",
    "cursor": "key",
}
"""The role of the theme that paints each style; raw points of further curves are muted."""

_ROLES |= {f"{name}-calm": f"{_ROLES[name]}~" for name in SERIES}
_ROLES |= {f"{name}-raw": "muted" for name in LINES if f"{name}-raw" not in _ROLES}


def cell_style(palette: Palette, name: str) -> Style:
    """The style of cells that a picture names so."""
    if name.endswith(TINTED):
        return palette.tinted(_ROLES[name.removesuffix(TINTED)])
    return palette.style(_ROLES[name])
