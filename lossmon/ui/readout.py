"""What the curves say at a position: the numbers beside a cursor."""

from __future__ import annotations

import math

import numpy as np

from lossmon.frozen import dataclass
from lossmon.ui.plot import ChartModel, ChartOptions, Curve
from lossmon.ui.trace import Trace


@dataclass(frozen=True, slots=True)
class Reading:
    """The point of one curve that is nearest to a cursor.

    Attributes:
        curve: Index of the curve in its model.
        x: Position of the point, in shown units.
        step: Its step.
        value: Raw value.
        smoothed: Value of the line there; equal to `value` where nothing is smoothed.
        wall_time: Seconds since the Unix epoch, NaN where unknown.
    """

    curve: int
    x: float
    step: int
    value: float
    smoothed: float
    wall_time: float = math.nan


def readout(model: ChartModel, options: ChartOptions, x: float) -> tuple[Reading, ...]:
    """The nearest point of every curve that has one, in the order of the curves.

    Smooths every curve from its start: for a key press, not for every frame.

    Args:
        model: What the chart shows.
        options: How it is shown; only the smoothing matters.
        x: Position of the cursor, in shown units.
    """
    found = []
    for index, curve in enumerate(model.curves):
        trace = Trace()
        trace.update(curve, options.smoothing)
        nearest = trace.nearest(x)
        if nearest is not None:
            found.append(_reading(index, curve, trace, nearest))
    return tuple(found)


def step_to(model: ChartModel, x: float, by: int) -> float:
    """The position `by` points further along the curve that has most points.

    Args:
        model: What the chart shows.
        x: Position of the cursor, in shown units.
        by: Points to go; negative to the left. Stops at the ends.

    Returns:
        A position in shown units; `x` itself if there is no point.
    """
    curve = max(model.curves, key=len, default=None)
    if curve is None:
        return x
    trace = Trace()
    trace.update(curve, 0.0)
    nearest = trace.nearest(x)
    if nearest is None:
        return x
    return trace.position(min(max(nearest + by, 0), len(trace) - 1))


def _reading(index: int, curve: Curve, trace: Trace, at: int) -> Reading:
    steps = curve.x if curve.steps is None else curve.steps
    step = float(steps[at]) if at < len(steps) else math.nan
    times = np.empty(0) if curve.wall_times is None else curve.wall_times
    return Reading(
        index,
        trace.position(at),
        int(step) if math.isfinite(step) else 0,
        float(curve.y[at]),
        float(trace.line[at]),
        float(times[at]) if at < len(times) else math.nan,
    )
