"""Curves to layers of dots, and layers of dots to cells of one colour each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints
from lossmon.ui.chart.axes.ranges import Frame
from lossmon.ui.chart.canvas import (
    CELLS,
    Codes,
    Dots,
    bars,
    braille,
    counted,
    joined,
    quadrants,
    stamped,
    thirds,
)
from lossmon.ui.chart.curve_cache import Window
from lossmon.ui.chart.layout import scaled
from lossmon.ui.chart.model import Marker

_DASH, _PERIOD = 4, 6
"""Dots drawn of each so many along a dashed line: two cells on, one off in braille."""


_PAUSE, _LEAST_PAUSE = 10, 8
"""Usual intervals, and columns of dots, from which a time without points is a pause."""


_TURN = 2
"""Cells in a row that a curve keeps where it coincides with another."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Dots of one colour.

    Attributes:
        dots: The dots.
        style: Style name.
        glyph: Character that stands for it in ASCII; empty for a line that follows the dots.
    """

    dots: Dots
    style: str
    glyph: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """The canvas of dots that a frame is mapped to.

    Attributes:
        frame: Ranges of both axes.
        width: Columns of dots.
        height: Rows of dots.
        pauses: Lines break where the run paused.
    """

    frame: Frame
    width: int
    height: int
    pauses: bool = False

    def rows(self, values: Floats) -> Floats:
        """Rows of values, 0 on top, as fractions; those out of view stay within reach of
        integers. NaN stays NaN."""
        y = self.frame.y
        with np.errstate(over="ignore", invalid="ignore"):
            rows = (y.high - scaled(values, self.frame.log)) / y.length * (self.height - 1)
        return np.clip(rows, -4.0 * self.height, 5.0 * self.height)

    def column(self, position: float) -> int | None:
        """Column of a position, None if it is out of view."""
        x = self.frame.x
        if not x.low <= position <= x.high:
            return None
        return min(self.width - 1, int((position - x.low) / x.length * self.width))


def line_rows(window: Window, grid: Grid) -> tuple[Ints, NDArray[np.bool_]]:
    """The row of the line in every column, and in which columns there is a line.

    Between points it is straight; it breaks where all points of a column are not finite, and on
    the clock where the run paused.
    """
    columns = window.columns
    mean = columns.middle
    placed = grid.rows(mean)
    known = np.flatnonzero(np.isfinite(mean))
    places, heights = known.astype(np.float64), placed[known]
    if window.ends is not None and len(window.ends[0]):
        places, heights = _through(places, heights, window.ends, grid)
    for beside, where in ((window.before, 0), (window.after, len(known))):
        if beside is not None:
            place, value = beside
            at = where if where == 0 else len(places)
            places = np.insert(places, at, place - 0.5)
            heights = np.insert(heights, at, grid.rows(np.array([value]))[0])
    valid = np.zeros(grid.width, np.bool_)
    if not len(places):
        return np.zeros(grid.width, np.int64), valid
    every = np.arange(grid.width)
    rows = np.rint(np.interp(every, places, heights)).astype(np.int64)
    valid = (every >= places[0]) & (every <= places[-1])
    only_bad = (columns.bad > 0) & (columns.bad == columns.points)
    if only_bad.any():
        valid &= ~_between(only_bad, known, grid.width)
    if grid.pauses:
        valid &= ~_paused(known, columns.points[known] > 1, grid.width)
    return rows, valid


def _paused(known: Ints, dense: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Columns of times without points that are far longer than the intervals beside them.

    Args:
        known: Columns with points.
        dense: Which of them have several, so that the interval is less than a column.
        width: Number of columns.
    """
    found = np.zeros(width, np.bool_)
    gaps = np.diff(known)
    before = np.where(dense[:-1], 1, np.concatenate(([0], gaps[:-1])))
    after = np.where(dense[1:], 1, np.concatenate((gaps[1:], [0])))
    usual = np.maximum(before, after)
    long = (gaps >= _LEAST_PAUSE) & (usual > 0) & (gaps > _PAUSE * usual)
    for at in np.flatnonzero(long).tolist():
        found[known[at] + 1 : known[at + 1]] = True
    return found


def _through(
    places: Floats, heights: Floats, ends: tuple[Ints, Floats, Floats], grid: Grid
) -> tuple[Floats, Floats]:
    """Nodes of a line that comes into a column of several points at the first of them and leaves
    it from the last: towards their mean it would fall before a point that rises."""
    columns, first, last = ends
    heights = heights.copy()
    heights[np.searchsorted(places, columns)] = grid.rows(first)
    places = np.concatenate((places, columns + 0.5))
    order = np.argsort(places, kind="stable")
    return places[order], np.concatenate((heights, grid.rows(last)))[order]


def _leaving(window: Window, grid: Grid, rows: Ints) -> Ints | None:
    """Rows from which a line leaves its columns, None where it leaves all as it came in."""
    if window.ends is None or not len(window.ends[0]):
        return None
    columns, _, last = window.ends
    leaving = rows.copy()
    leaving[columns] = np.rint(grid.rows(last)).astype(np.int64)
    return leaving


def _between(only_bad: NDArray[np.bool_], known: Ints, width: int) -> NDArray[np.bool_]:
    """Columns whose neighbours with a value have a column without one between them."""
    count = np.concatenate(([0], np.cumsum(only_bad)))
    every = np.arange(width)
    right = np.searchsorted(known, every, side="left")
    left = np.searchsorted(known, every, side="right") - 1
    begin = np.where(left >= 0, known[np.clip(left, 0, None)] if len(known) else 0, 0)
    last = len(known) - 1
    end = np.where(right <= last, known[np.clip(right, 0, last)] if len(known) else 0, width - 1)
    return np.asarray(count[end + 1] - count[begin] > 0)


def line_layer(window: Window, grid: Grid, *, exact: bool, dashed: bool) -> Dots:
    """The line of a curve; `exact` also fills each column from its minimum to its maximum."""
    rows, valid = line_rows(window, grid)
    dots = bars(*joined(rows, valid, _leaving(window, grid, rows)), grid.height)
    points = _filled(window, grid) if exact else np.zeros_like(dots)
    if not dashed:
        return np.asarray(dots | points)
    across = np.arange(grid.width)[None, :] + np.arange(grid.height)[:, None]
    pattern = across % _PERIOD < _DASH
    # The points of a sparse curve are all kept; those of a dense one would close the gaps.
    sparse = 2 * np.count_nonzero(window.columns.points) <= np.count_nonzero(valid)
    return np.asarray(dots & pattern | points if sparse else (dots | points) & pattern)


def raw_layer(window: Window, grid: Grid) -> Dots:
    """The points behind a line: extremes of each column, and a light pattern between them."""
    filled = _filled(window, grid)
    across = np.arange(grid.width)[None, :] + np.arange(grid.height)[:, None]
    edge = filled.copy()
    edge[1:-1] &= ~(filled[:-2] & filled[2:])
    return np.asarray(edge | (filled & (across % 2 == 0)))


def _filled(window: Window, grid: Grid) -> Dots:
    columns = window.columns
    known = np.isfinite(columns.low)
    tops = np.rint(grid.rows(np.where(known, columns.high, 0.0))).astype(np.int64)
    bottoms = np.rint(grid.rows(np.where(known, columns.low, 0.0))).astype(np.int64)
    tops[~known], bottoms[~known] = 1, 0
    return bars(tops, bottoms, grid.height)


def scatter_layer(x: Floats | Ints, y: Floats, grid: Grid) -> Dots:
    """Single points, as they are."""
    dots = np.zeros((grid.height, grid.width), np.bool_)
    span = grid.frame.x
    with np.errstate(over="ignore", invalid="ignore"):
        columns = (np.asarray(x, np.float64) - span.low) / span.length * grid.width
    rows = np.rint(grid.rows(y))
    seen = (columns >= 0) & (columns < grid.width) & (rows >= 0) & (rows < grid.height)
    dots[rows[seen].astype(np.int64), columns[seen].astype(np.int64)] = True
    return dots


def gap_cells(
    first: Window, second: Window, grid: Grid, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Cells of `shape` (rows, columns of dots) that lie between two lines, both ends included;
    none where one of them is missing or beyond the edge: a block with one end says nothing."""
    one, one_valid = line_rows(first, grid)
    other, other_valid = line_rows(second, grid)
    rows = np.stack([one, other])
    both = one_valid & other_valid & ((rows >= 0) & (rows < grid.height)).all(axis=0)
    tops = np.where(both, np.minimum(one, other), 1)
    bottoms = np.where(both, np.maximum(one, other), 0)
    return np.asarray(counted(bars(tops, bottoms, grid.height), shape) > 0)


def merge(
    front: Sequence[Layer], back: Sequence[Layer], marker: Marker, styles: dict[str, int]
) -> tuple[Codes, NDArray[np.uint8]]:
    """Cells of all layers.

    A cell has one colour: that of the layer with most dots in it. Where a line passes, what
    lies behind it is left out, so that the line keeps its shape.
    """
    over, over_styles = _flatten(front, marker, styles)
    under, under_styles = _flatten(back, marker, styles)
    if over is None or over_styles is None:
        assert under is not None and under_styles is not None
        return under, under_styles
    if under is None or under_styles is None:
        return over, over_styles
    seen = over != ord(" ")
    return np.where(seen, over, under), np.where(seen, over_styles, under_styles)


def _flatten(
    layers: Sequence[Layer], marker: Marker, styles: dict[str, int]
) -> tuple[Codes | None, NDArray[np.uint8] | None]:
    if not layers:
        return None, None
    shape = CELLS[marker]
    if len(layers) == 1:
        codes = _encode(layers[0].dots, layers[0].glyph, marker)
        return codes, np.full(codes.shape, styles[layers[0].style], np.uint8)
    owner = _owners(np.stack([counted(layer.dots, shape) for layer in layers]))
    colours = np.array([styles[layer.style] for layer in layers], np.uint8)[owner]
    if marker == "ascii":
        drawn = [_encode(layer.dots, layer.glyph, marker) for layer in layers]
        return np.choose(owner, drawn).astype(np.uint32), colours
    union = np.logical_or.reduce([layer.dots for layer in layers])
    return _encode(union, "", marker), colours


def _owners(counts: Ints) -> Ints:
    """Which layer each cell belongs to: the one with most dots in it.

    Layers that share a cell evenly take turns along the row: of two curves that coincide both
    are seen.
    """
    owner = np.asarray(counts.argmax(axis=0))
    tied = (counts == counts.max(axis=0)) & (counts.max(axis=0) > 0)
    other = len(counts) - 1 - np.asarray(tied[::-1].argmax(axis=0))
    turn = np.arange(counts.shape[2]) % (2 * _TURN) >= _TURN
    return np.where(turn & tied.any(axis=0), other, owner)


def _encode(dots: Dots, glyph: str, marker: Marker) -> Codes:
    if marker == "braille":
        return braille(dots)
    if marker == "block":
        return quadrants(dots)
    return stamped(dots, glyph) if glyph else thirds(dots)
