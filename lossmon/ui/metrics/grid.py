"""Grid of the metrics view: how many charts a terminal has room for."""

from __future__ import annotations

from textual.geometry import Size

CELL = (38, 9)
"""Columns and rows that a chart has at least, where the terminal has several times as many."""

LOW_CELL = 6
"""Rows of a chart in a terminal with fewer than `LOW` rows."""

LOW = 20


def grid_of(size: Size) -> tuple[int, int]:
    """Columns and rows of charts in a terminal of a size."""
    rows = max(1, size.height - 2)
    return max(1, size.width // CELL[0]), max(1, rows // (CELL[1] if rows >= LOW else LOW_CELL))


def room_of(size: Size, columns: int, rows: int) -> tuple[int, int]:
    """Columns and rows of pixels, two per cell, inside the frame of one chart."""
    return size.width // columns - 4, 2 * ((size.height - 2) // rows - 2)
