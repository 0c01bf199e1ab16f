"""Readout of the curves at a position: the numbers beside a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel, Curve


@dataclass(frozen=True, slots=True)
class Reading:
    """The point of one curve that is nearest to a cursor.

    Attributes:
        curve: Index of the curve in its model.
        x: Position of the point, in shown units.
        step: Its step.
        value: Raw value.
        smoothed: Value of the smoothed line there, NaN where the line goes through the points.
        wall_time: Seconds since the Unix epoch, NaN where unknown.
    """

    curve: int
    x: float
    step: int
    value: float
    smoothed: float
    wall_time: float = math.nan


def readout(model: ChartModel, x: float, traces: Sequence[Trace] = ()) -> tuple[Reading, ...]:
    """The nearest point of every curve that has one, in the order of the curves.

    Args:
        x: Position of the cursor, in shown units.
        traces: The curves as the painter of the same model drew them; without them no line is
            known.
    """
    known = traces if len(traces) == len(model.curves) else _traced(model)
    found = []
    for index, (curve, trace) in enumerate(zip(model.curves, known, strict=True)):
        nearest = trace.nearest(x)
        if nearest is not None:
            found.append(_reading(index, curve, trace, nearest))
    return tuple(found)


def _traced(model: ChartModel) -> list[Trace]:
    traces = []
    for curve in model.curves:
        trace = Trace()
        trace.update(curve, 0.0)
        traces.append(trace)
    return traces


def step_to(model: ChartModel, x: float, by: int, traces: Sequence[Trace] = ()) -> float:
    """The position `by` points further along the curve that has most points.

    Args:
        x: Position of the cursor, in shown units.
        by: Points to go; negative to the left. Stops at the ends.
        traces: The curves as the painter of the same model remembers them.

    Returns:
        A position in shown units; `x` itself if there is no point.
    """
    if not model.curves:
        return x
    at = max(range(len(model.curves)), key=lambda index: len(model.curves[index]))
    if len(traces) == len(model.curves):
        trace = traces[at]
    else:
        trace = Trace()
        trace.update(model.curves[at], 0.0)
    nearest = trace.nearest(x)
    if nearest is None:
        return x
    return trace.position(min(max(nearest + by, 0), len(trace) - 1))


def _reading(index: int, curve: Curve, trace: Trace, at: int) -> Reading:
    steps = curve.x if curve.steps is None else curve.steps
    step = float(steps[at]) if at < len(steps) else math.nan
    line = trace.line_at(trace.position(at))
    times = np.empty(0) if curve.wall_times is None else curve.wall_times
    return Reading(
        index,
        trace.position(at),
        int(step) if math.isfinite(step) else 0,
        float(curve.y[at]),
        math.nan if line is None else line,
        float(times[at]) if at < len(times) else math.nan,
    )
