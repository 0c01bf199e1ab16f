"""Sizes of the screen: the classes that the style sheet knows them by."""

from __future__ import annotations

Breakpoints = list[tuple[int, str]]

COLUMNS: Breakpoints = [
    (0, "-tiny"),
    (40, "-narrow"),
    (60, "-normal"),
    (110, "-wide"),
    (150, "-very-wide"),
]
"""Columns from which a class is set; `app.tcss` says what each means."""

ROWS: Breakpoints = [
    (0, "-sliver"),
    (9, "-strip"),
    (14, "-short"),
    (20, "-low"),
    (30, "-tall"),
    (38, "-taller"),
    (46, "-very-tall"),
]
"""Rows from which a class is set."""


def classes_of(width: int, height: int) -> tuple[str, str]:
    """The classes of a screen of so many columns and rows."""
    columns = [name for least, name in COLUMNS if width >= least]
    rows = [name for least, name in ROWS if height >= least]
    return columns[-1], rows[-1]
