"""Cache of a curve between two pictures: only new points are worked on."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints
from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.downsample import (
    FEWEST,
    ReducedCurve,
    edges,
    local_lines,
    reach,
    reduce,
    spikes,
)
from lossmon.ui.chart.model import Curve

_PROBES = 16
"""Places at which a longer column is compared with the shorter one before it, to tell growth
from another history; a restart changes all values behind it, so a few places suffice."""

_SAMPLE = 4096
"""Values from which the range is estimated; 5 % of it are 200 values, enough to be steady."""


@dataclass(frozen=True, slots=True)
class Window:
    """A curve in the columns of a canvas.

    Attributes:
        columns: The curve in each column.
        before: (column, value) of the nearest point left of the window, or None.
        after: The same at the right.
        smoothed: The line is smoothed; else it goes through the points.
        ends: Columns of several points, and the first and the last value in each, all finite; the
            line comes in at the one and leaves from the other. None if the line is smoothed.
    """

    columns: ReducedCurve
    before: tuple[float, float] | None
    after: tuple[float, float] | None
    smoothed: bool = False
    ends: tuple[Ints, Floats, Floats] | None = None


@dataclass(slots=True)
class _View:
    """Columns over a span, where they begin in the curve, and how many points they hold."""

    span: Span
    columns: ReducedCurve
    begins: Ints
    points: int = 0


_VIEWS = 2
"""Widths remembered: that of the canvas and that in which ranges are measured."""


class Trace:
    """One curve, reduced to columns as far as it has grown.

    `update` with the curve first; then the other methods speak of it.
    """

    def __init__(self) -> None:
        self._n = 0
        self._probe = b""
        self._reach = 0.0
        self._line: tuple[Span, Floats] | None = None
        self._x: Floats | Ints = np.empty(0)
        self._y: Floats = np.empty(0)
        self._unit, self._origin = 1.0, 0.0
        self._ordered = True
        self._views: dict[int, _View] = {}
        """By number of columns, the newest last."""

    def __len__(self) -> int:
        return self._n

    @property
    def first(self) -> float:
        """Shown position of the first point; the curve must have one."""
        return self.position(0)

    @property
    def last(self) -> float:
        """Shown position of the newest point; the curve must have one."""
        return self.position(self._n - 1)

    def position(self, index: int) -> float:
        """Shown position of a point."""
        return (float(self._x[index]) - self._origin) / self._unit

    def update(self, curve: Curve, smoothing: float) -> bool:
        """Take what is new in a curve; a curve with another past is taken from its start.

        Returns:
            Whether it has the past that was known.
        """
        self._reach, self._line = reach(smoothing) if curve.smooth else 0.0, None
        n = min(len(curve.x), len(curve.y))
        if n < self._n or not self._continues(curve):
            self._n, self._ordered = 0, True
            self._views.clear()
        if (curve.origin, curve.unit) != (self._origin, self._unit):
            self._origin, self._unit = curve.origin, curve.unit or 1.0
            self._views.clear()
        old, self._n = self._n, n
        self._y = curve.y[:n]
        self._x = self._in_order(curve.x[:n], old)
        self._probe = _probed(curve, n)
        return old > 0

    def _continues(self, curve: Curve) -> bool:
        return self._n == 0 or _probed(curve, self._n) == self._probe

    def _in_order(self, x: Floats | Ints, old: int) -> Floats | Ints:
        """Positions that never decrease: a clock that was set back stands still meanwhile."""
        fresh = x[max(0, old - 1) :]
        if self._ordered and bool((fresh[1:] >= fresh[:-1]).all()) and not _unknown(fresh):
            return x
        self._ordered = False
        if x.dtype.kind != "f":
            return np.asarray(np.maximum.accumulate(x))
        known = np.isfinite(x)
        if not known.any():
            self._n = 0
            self._y = self._y[:0]
            return x[:0]
        start = float(x[int(known.argmax())])
        return np.asarray(np.maximum.accumulate(np.where(known, x, start)))

    def window(self, span: Span, width: int) -> Window:
        """The curve in `width` columns over the shown positions `span`."""
        raw = Span(span.low * self._unit + self._origin, span.high * self._unit + self._origin)
        view = self._view(span, width)
        if view.points < self._n:
            self._absorb(view, raw)
        before = self._beside(int(view.begins[0]) - 1, raw, width)
        return Window(view.columns, before, self._beside(int(view.begins[-1]), raw, width))

    def drawn(self, span: Span, width: int, cells: int) -> Window:
        """The curve as it is drawn: smoothed where its points are dense enough for it.

        Args:
            width: Columns of dots.
            cells: Columns of characters, in which the reach of the smoothing is measured.
        """
        window = self.window(span, width)
        columns, reach = window.columns, self._reach * width / max(1, cells)
        filled = np.flatnonzero(columns.points)
        self._line = None
        if not len(filled):
            return window
        points = float(columns.points.sum())
        density = points / (int(filled[-1]) - int(filled[0]) + 1)
        if min(points, 2 * reach * density) < FEWEST:
            return replace(window, ends=self._ends(width))
        counts = np.asarray(columns.points - columns.bad, np.float64)
        middle = columns.middle
        counts[spikes(middle)] = 0.0
        line = local_lines(middle, counts, reach)
        self._line = span, line
        return Window(replace(columns, line=line), None, None, smoothed=True)

    def _ends(self, width: int) -> tuple[Ints, Floats, Floats]:
        begins = self._views[width].begins
        several = np.flatnonzero(np.diff(begins) > 1)
        first, last = self._y[begins[several]], self._y[begins[several + 1] - 1]
        known = np.isfinite(first) & np.isfinite(last)
        return several[known], first[known], last[known]

    def line_at(self, position: float) -> float | None:
        """Value of the line, as it was drawn last, at a shown position; None where it goes through
        the points or is not drawn."""
        if self._line is None:
            return None
        span, line = self._line
        at = int((position - span.low) / span.length * len(line))
        at = min(at, len(line) - 1) if span.low <= position <= span.high else -1
        return float(line[at]) if at >= 0 and np.isfinite(line[at]) else None

    def _absorb(self, view: _View, raw: Span) -> None:
        width, old = len(view.columns), view.points if self._ordered else 0
        fresh = old + edges(self._x[old:], raw, width)
        # A column that began among the old points begins there still.
        view.begins = np.where(view.begins < old, view.begins, fresh)
        first = max(0, int(np.searchsorted(view.begins, old, side="right")) - 1)
        if first < width:
            reduce(view.columns, self._y, view.begins, first)
        view.points = self._n

    def _view(self, span: Span, width: int) -> _View:
        view = self._views.pop(width, None)
        if view is None or view.span != span:
            view = _View(span, ReducedCurve.empty(width), np.zeros(width + 1, np.int64))
        self._views[width] = view
        while len(self._views) > _VIEWS:
            del self._views[next(iter(self._views))]
        return view

    def _beside(self, index: int, raw: Span, width: int) -> tuple[float, float] | None:
        if not 0 <= index < self._n or not np.isfinite(self._y[index]):
            return None
        return (float(self._x[index]) - raw.low) / raw.length * width, float(self._y[index])

    @property
    def line_end(self) -> float | None:
        """Newest value of the smoothed line as it was drawn last; NaN where later points are out of
        view, None where it goes through the points."""
        if self._line is None:
            return None
        if self._bounds(self._line[0])[1] < self._n:
            return math.nan
        known = self._line[1][np.isfinite(self._line[1])]
        return float(known[-1]) if len(known) else None

    def sample(self, span: Span) -> Floats:
        """At most some thousand finite raw values evenly taken from the positions `span`."""
        shown = self._shown(span)
        stride = 1
        while len(shown) > _SAMPLE * stride:
            stride *= 2
        taken = shown[::stride]
        return np.asarray(taken[np.isfinite(taken)])

    def newest(self, span: Span) -> Floats:
        """The last five raw values within the positions `span`, the finite ones of them."""
        values = self._shown(span)[-5:]
        return np.asarray(values[np.isfinite(values)])

    def _shown(self, span: Span) -> Floats:
        start, stop = self._bounds(span)
        return self._y[start:stop]

    def _bounds(self, span: Span) -> tuple[int, int]:
        raw = Span(span.low * self._unit + self._origin, span.high * self._unit + self._origin)
        start, stop = edges(self._x, raw, 1).tolist()
        return start, stop

    def points(self, span: Span) -> tuple[Floats, Floats]:
        """Shown positions and raw values of the points within the positions `span`."""
        start, stop = self._bounds(span)
        x = (np.asarray(self._x[start:stop], np.float64) - self._origin) / self._unit
        return x, self._y[start:stop]

    def nearest(self, position: float) -> int | None:
        """Index of the point nearest to a shown position, None if there is no point."""
        if not self._n:
            return None
        target = position * self._unit + self._origin
        right = int(np.searchsorted(self._x, target))
        if right == 0:
            return 0
        if right == self._n:
            return self._n - 1
        left_distance = target - float(self._x[right - 1])
        return right - 1 if left_distance <= float(self._x[right]) - target else right


def _unknown(x: Floats | Ints) -> bool:
    return x.dtype.kind == "f" and not bool(np.isfinite(x).all())


def _probed(curve: Curve, n: int) -> bytes:
    if not n:
        return b""
    places = np.linspace(0, n - 1, min(n, _PROBES)).astype(np.int64)
    return curve.x[places].tobytes() + curve.y[places].tobytes()
