"""Layout of a chart: the ranges of its axes, and the labels beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.quantiles import quantile
from lossmon.types import Floats
from lossmon.ui.chart.axes.log_x import position_ticks
from lossmon.ui.chart.axes.ranges import (
    Frame,
    Span,
    bulk,
    rise_top,
    settle,
    spread,
    x_span,
)
from lossmon.ui.chart.axes.ticks import Tick, linear_ticks, log_ticks, step_ticks, time_ticks
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel, ChartOptions, XAxis

_ROWS_PER_LABEL = (2.5, 2, 1)
"""Rows from one value label to the next at least; closer where there were none to compare."""

_CELLS_PER_LABEL = 11
"""The same for positions, in columns."""

_MEASURED = 500
"""Columns in which ranges are measured, whatever the width of the chart: charts of one curve
then agree on its range."""

_ROOM_FOR_VALUES = 16
"""Columns below which there is no room for value labels."""

_LABEL_WIDTH = 5
"""Cells kept for value labels at least, so that panes align."""

_ROOM_FOR_POSITIONS = 4
"""Rows below which there is no room for position labels."""

_LEAST_PART = 0.05
"""Share of the range of a loss that is in view at least, however small its rise is."""

_MOST = 0.75
"""Share of the points of a loss that stay in view where the rise of another one is to be seen."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the curves stand in the picture.

    Attributes:
        left: Columns kept for value labels and the axis, 0 if there are none.
        width: Columns of the curves.
        height: Rows of the curves; the row below holds the position labels, if any.
        values: Labels of the y axis.
        positions: Labels of the x axis.
    """

    left: int
    width: int
    height: int
    values: tuple[Tick, ...]
    positions: tuple[Tick, ...]


def layout(
    frame: Frame, options: ChartOptions, width: int, height: int, *, log_x: bool = False
) -> Layout:
    """Divide a picture of that many cells into labels and curves."""
    rows = height - 1 if height >= _ROOM_FOR_POSITIONS else height
    values: tuple[Tick, ...] = ()
    left = 0
    if width >= _ROOM_FOR_VALUES:
        values = value_ticks(frame, rows)
        widest = max((len(tick.label) for tick in values), default=0)
        left = max(widest, _LABEL_WIDTH if width >= 60 else 0) + 1
    room = max(1, width - left)
    positions: tuple[Tick, ...] = ()
    if rows < height:
        most = max(2, room // _CELLS_PER_LABEL)
        if log_x:
            positions = position_ticks(frame.x.low, frame.x.high, most)
        elif options.x_axis == "time":
            positions = time_ticks(frame.x.low, frame.x.high, most)
        else:
            whole = options.x_axis in ("step", "tokens")
            positions = step_ticks(frame.x.low, frame.x.high, most, whole=whole)
    return Layout(left, room, rows, values, positions)


def value_ticks(frame: Frame, rows: int) -> tuple[Tick, ...]:
    """Labels of the y axis for that many rows."""
    low, high, label = frame.y.low, frame.y.high, linear_ticks
    if frame.log:
        with np.errstate(over="ignore", under="ignore"):
            low, high = np.power(10.0, [low, high]).tolist()
        label = log_ticks
    ticks: tuple[Tick, ...] = ()
    for rows_per_label in _ROWS_PER_LABEL:
        ticks = label(low, high, max(2, int(rows / rows_per_label)))
        if len(ticks) >= 2:
            break
    # On neighbouring rows they would seem unevenly spaced: a row more or less doubles a distance.
    return ticks[::-2][::-1] if len(ticks) > max(2, rows / 1.5) else ticks


def horizontal(traces: Sequence[Trace], model: ChartModel, options: ChartOptions) -> Span | None:
    """The range of positions, or None if there is no point."""
    if options.x_range is not None:
        return spread(*sorted(options.x_range))
    filled = [trace for trace in traces if len(trace)]
    if not filled:
        return None
    return x_span(
        min(trace.first for trace in filled),
        max(*(trace.last for trace in filled), _ghosts_end(model)),
        recent=options.recent,
        total=model.total,
        live=model.live,
        clock=options.x_axis is XAxis.TIME,
    )


def _ghosts_end(model: ChartModel) -> float:
    """How far the run had come before it was restarted."""
    ends = [
        float(curve.shown(curve.ghost_x[-1:])[0])
        for curve in (*model.curves, *model.context, *model.behind)
        if len(curve.ghost_x)
    ]
    return max((end for end in ends if np.isfinite(end)), default=-np.inf)


def vertical(
    traces: Sequence[Trace],
    options: ChartOptions,
    x: Span,
    previous: Span | None,
    *,
    losses: bool = False,
) -> Span | None:
    """The range of values (logarithms if the axis is logarithmic), or None if none is finite.

    Args:
        traces: Curves that must be in view.
        options: How the chart is shown.
        previous: The range shown so far: it is kept while it fits.
        losses: All of them are losses: a rise behind a minimum is made large enough to be seen.
    """
    if options.y_range is not None:
        low, high = sorted(scaled(np.array(options.y_range, np.float64), options.log_y).tolist())
        return spread(low, high) if np.isfinite(low + high) else None
    spans = [_values(trace, options, x) for trace in traces if len(trace)]
    known = [span for span in spans if span is not None]
    if not known:
        return None
    low, high = min(span.low for span in known), max(span.high for span in known)
    if losses and options.hide_outliers and not options.log_y:
        shown = previous.high if previous is not None and previous.high < high else None
        top = _top(traces, x, low, shown) or high
        high = min(high, max(top, low + _LEAST_PART * (high - low)))
    return settle(previous, spread(low, high))


def _top(traces: Sequence[Trace], x: Span, low: float, shown: float | None) -> float | None:
    """Upper end of a range in which the rise of one of the losses is seen, with most of the
    others; None where none of them rises."""
    samples = [sample for trace in traces if len(trace) and len(sample := trace.sample(x))]
    tops = [rise_top(sample, low, shown) for sample in samples]
    if all(top is None for top in tops):
        return None
    pairs = zip(samples, tops, strict=True)
    return max(quantile(sample, _MOST) if top is None else top for sample, top in pairs)


def _values(trace: Trace, options: ChartOptions, x: Span) -> Span | None:
    columns = trace.window(x, _MEASURED).columns
    extremes = _usable(np.concatenate((columns.low, columns.high)), options.log_y)
    if not options.hide_outliers:
        return Span(float(extremes.min()), float(extremes.max())) if len(extremes) else None
    sample, newest = trace.sample(x), trace.newest(x)
    found = bulk(_usable(sample, options.log_y), extremes, _usable(newest, options.log_y))
    if found is not None and found.low == found.high:
        # Nearly all values are one: nothing tells how far from it is far.
        return Span(float(extremes.min()), float(extremes.max()))
    return found


def scaled(values: Floats, log: bool) -> Floats:
    """Values as the axis places them: their logarithms if it is logarithmic, what is not
    positive below everything. NaN stays NaN."""
    if not log:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values <= 0, -np.inf, np.log10(values))


def _usable(values: Floats, log: bool) -> Floats:
    placed = scaled(values, log)
    return np.asarray(placed[np.isfinite(placed)])
