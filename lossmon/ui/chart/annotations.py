"""Annotations of a chart: the minimum, restarts, NaN points and clipped points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lossmon.types import Floats, Severity
from lossmon.ui.chart.canvas import CELLS, Canvas
from lossmon.ui.chart.curve_cache import Window
from lossmon.ui.chart.layers import Grid, line_rows
from lossmon.ui.chart.layout import Layout
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, Mark

_GLYPHS = {
    "min": ("▼", "v"),
    "nan": ("×", "x"),
    "restart": ("┊", ":"),
    "checkpoint": ("▪", "#"),
    "clipped": ("▴", "^"),
    "below": ("▾", "v"),
    "cursor": ("│", "|"),
}
"""The glyph of each kind of mark, and its ASCII form."""

_VERDICTS = {
    Severity.NEUTRAL: ("○", "."),
    Severity.OK: ("✓", "+"),
    Severity.NOTICE: ("◆", "*"),
    Severity.WARNING: ("▲", "!"),
    Severity.CRITICAL: ("✖", "X"),
}
"""The glyph of a verdict, the same as on the badge, and its ASCII form. Among labels an ellipsis
would look like what is left of one."""

_ASIDE = 4
"""Cells by which another verdict may push a verdict aside."""

_BESIDE = 3
"""The same for a checkpoint in a chart that shows every point: the width of a label."""

_EVENTS = ("verdict", "checkpoint")
"""Marks that stand among the labels of the x axis."""

_STYLES = {"min": "mark"}
"""Styles of marks whose kind is not the name of a style."""

_EDGE_OF = {"nan": "bottom", "clipped": "top"}
"""Where marks stand that do not belong to a value."""


def glyph_of(kind: str, options: ChartOptions) -> str:
    """The glyph of a kind of mark."""
    return _GLYPHS[kind][options.marker == "ascii"]


def verdict_glyph(severity: Severity, options: ChartOptions) -> str:
    """The glyph of a verdict."""
    return _VERDICTS[severity][options.marker == "ascii"]


def draw_marks(
    canvas: Canvas, plan: Layout, grid: Grid, model: ChartModel, options: ChartOptions
) -> None:
    """Draw the marks of the model: restarts behind the curves, the others over them."""
    # The minimum last: it is what the eye looks for.
    for mark in sorted(model.marks, key=lambda mark: mark.kind == "min"):
        column = None if mark.kind in _EVENTS else grid.column(mark.x)
        if column is None:
            continue
        x = plan.left + column // CELLS[options.marker][1]
        style = _STYLES.get(mark.kind, mark.kind)
        if mark.kind == "restart":
            _vertical(canvas, plan, x, glyph_of("restart", options), style)
        else:
            y = _row(canvas, plan, grid, mark, options, x)
            canvas.put(x, y, glyph_of(mark.kind, options), style)


def draw_verdicts(
    canvas: Canvas, plan: Layout, grid: Grid, marks: Sequence[Mark], options: ChartOptions
) -> None:
    """Draw verdicts in the row of the labels of the x axis, before these: each at its step.

    The newest has the first choice of a cell; one whose cell is taken stands beside it.
    """
    for mark in reversed([mark for mark in marks if mark.kind == "verdict"]):
        glyph = verdict_glyph(mark.severity, options)
        style = f"verdict-{mark.severity.word}"
        _put_near(canvas, plan, grid, mark, options, (glyph, style, _ASIDE))


def draw_checkpoints(
    canvas: Canvas, plan: Layout, grid: Grid, marks: Sequence[Mark], options: ChartOptions
) -> None:
    """Draw checkpoints between the labels of the x axis, where there is room for them."""
    # Runs save at round steps, which is where the labels stand.
    reach = _BESIDE if options.points else 0
    for mark in reversed([mark for mark in marks if mark.kind == "checkpoint"]):
        glyph = glyph_of(mark.kind, options)
        _put_near(canvas, plan, grid, mark, options, (glyph, mark.kind, reach))


def _put_near(
    canvas: Canvas,
    plan: Layout,
    grid: Grid,
    mark: Mark,
    options: ChartOptions,
    drawn: tuple[str, str, int],
) -> None:
    """Put a glyph of a style into the blank cell nearest to a mark, so many cells away at most."""
    glyph, style, reach = drawn
    column = grid.column(mark.x)
    if column is None:
        return
    x = plan.left + column // CELLS[options.marker][1]
    near = (x + side * by for by in range(reach + 1) for side in (1, -1))
    place = next((at for at in near if canvas.blank(at, plan.height, 1)), None)
    if place is not None:
        canvas.put(place, plan.height, glyph, style)


def _row(
    canvas: Canvas, plan: Layout, grid: Grid, mark: Mark, options: ChartOptions, x: int
) -> int:
    if mark.y is None or not np.isfinite(mark.y):
        return 0 if _EDGE_OF.get(mark.kind) == "top" else plan.height - 1
    place = round(float(grid.rows(np.array([mark.y]))[0])) // CELLS[options.marker][0]
    row = min(max(place, 0), plan.height - 1)
    # Above the curve it points at the value; where something else is there, it takes its place.
    return row - 1 if row > 0 and canvas.blank(x, row - 1, 1) else row


def _vertical(canvas: Canvas, plan: Layout, x: int, char: str, style: str) -> None:
    for y in range(plan.height):
        if canvas.blank(x, y, 1):
            canvas.put(x, y, char, style)


def draw_points(
    canvas: Canvas,
    plan: Layout,
    grid: Grid,
    x: Floats,
    y: Floats,
    style: str,
    options: ChartOptions,
) -> None:
    """Draw points one by one; those that are not finite or beyond the edges have marks."""
    shape = CELLS[options.marker]
    char = "o" if options.marker == "ascii" else "•"
    rows = np.rint(grid.rows(y))
    seen = np.isfinite(y) & (rows >= 0) & (rows <= grid.height - 1)
    for at, row in zip(x[seen].tolist(), rows[seen].tolist(), strict=True):
        column = grid.column(at)
        if column is not None:
            canvas.put(plan.left + column // shape[1], int(row) // shape[0], char, style)


def draw_findings(
    canvas: Canvas, plan: Layout, grid: Grid, windows: Sequence[Window], options: ChartOptions
) -> frozenset[str]:
    """Draw what the curves themselves tell: points beyond the edges and points that are NaN.

    Returns:
        Which of `clipped`, `below` and `nan` there was.
    """
    shape = CELLS[options.marker]
    above = np.zeros(plan.width, np.bool_)
    below, broken = above.copy(), above.copy()
    for window in windows:
        columns = window.columns
        known = np.isfinite(columns.low)
        tops = grid.rows(np.where(known, columns.high, np.nan))
        bottoms = grid.rows(np.where(known, columns.low, np.nan))
        above |= _cells(np.rint(tops) < 0, shape[1])
        below |= _cells(np.rint(bottoms) > grid.height - 1, shape[1])
        broken |= _cells(columns.bad > 0, shape[1])
    low, found = plan.height - 1, set()
    for where, y, kind, style in (
        (above, 0, "clipped", "clipped"),
        (below, low, "below", "clipped"),
        (broken, low, "nan", "nan"),
    ):
        places = (plan.left + np.flatnonzero(where)).tolist()
        if kind == "nan":
            # Another curve may run along the edge (the broken one ends there): above is room.
            rows = range(low, max(low - 3, -1), -1)
            y = min(rows, key=lambda row: max(1, _taken(canvas, places, row)))
        for x in places:
            canvas.put(x, y, glyph_of(kind, options), style)
            found.add(kind)
    return frozenset(found)


def _taken(canvas: Canvas, places: Sequence[int], row: int) -> int:
    return sum(not canvas.blank(x, row, 1) for x in places)


def _cells(columns: NDArray[np.bool_], per_cell: int) -> NDArray[np.bool_]:
    return np.asarray(columns.reshape(-1, per_cell).any(axis=1))


def draw_cursor(canvas: Canvas, plan: Layout, grid: Grid, options: ChartOptions) -> None:
    """Draw a vertical line through what is blank at the cursor's position."""
    column = None if options.cursor is None else grid.column(options.cursor)
    if column is not None:
        x = plan.left + column // CELLS[options.marker][1]
        _vertical(canvas, plan, x, glyph_of("cursor", options), "cursor")


def sample_of(at: int, options: ChartOptions) -> str:
    """What the line of the curve at a place in its chart looks like."""
    if options.marker == "ascii":
        return "--" if at == 0 else "oxABCDEFGH"[(at - 1) % 10] * 2
    return "╺╸" if options.mono and at else "━━"


def draw_letters(
    canvas: Canvas,
    plan: Layout,
    grid: Grid,
    drawn: Sequence[tuple[Curve, Window]],
    options: ChartOptions,
) -> None:
    """Write the letter of each curve behind its end; of curves that end together, before it."""
    taken: set[tuple[int, int]] = set()
    for curve, window in drawn:
        if not curve.letter:
            continue
        for place in _places(window, plan, grid, options):
            if place not in taken:
                taken.add(place)
                canvas.put(*place, curve.letter, curve.style)
                break


def _places(
    window: Window, plan: Layout, grid: Grid, options: ChartOptions
) -> list[tuple[int, int]]:
    """Cells along the line, the one behind its end first, then from its end to its start."""
    rows, valid = line_rows(window, grid)
    per_row, per_column = CELLS[options.marker]
    columns = np.flatnonzero(valid)[:: -2 * per_column]
    known = columns[(rows[columns] >= 0) & (rows[columns] < grid.height)]
    cells = [
        (plan.left + column // per_column, row // per_row)
        for column, row in zip(known.tolist(), rows[known].tolist(), strict=True)
    ]
    behind = [(x + 1, y) for x, y in cells[:1] if x + 1 < plan.left + plan.width]
    return [*behind, *cells]
