"""Curves told apart without colour: a letter at the end of each, the one looked at in front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossmon.ui.canvas import CELLS, Canvas
from lossmon.ui.fit import Layout
from lossmon.ui.layers import Grid, line_rows
from lossmon.ui.plot import ChartOptions, Curve
from lossmon.ui.trace import Window


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
