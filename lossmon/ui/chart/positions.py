"""Where points stand along the horizontal of a chart, in shown units."""

from __future__ import annotations

import math

from lossmon.ui.chart.model import ChartModel, ChartOptions
from lossmon.ui.chart.readout import readout


def end_of(model: ChartModel) -> float:
    """The newest shown position of a model, minus infinity without points."""
    ends = [
        (float(curve.x[-1]) - curve.origin) / (curve.unit or 1.0)
        for curve in model.curves
        if len(curve)
    ]
    return max((end for end in ends if math.isfinite(end)), default=-math.inf)


def position_of(model: ChartModel, step: int) -> float | None:
    """Where the point nearest to a step stands, in shown units; None without points."""
    found: list[tuple[float, float]] = []
    for curve in model.curves:
        if len(curve):
            steps = curve.x if curve.steps is None else curve.steps
            at = min(int(steps.searchsorted(step)), len(curve) - 1)
            if at and abs(int(steps[at - 1]) - step) <= abs(int(steps[at]) - step):
                at -= 1
            place = (float(curve.x[at]) - curve.origin) / (curve.unit or 1.0)
            found.append((abs(float(steps[at]) - step), place))
    return min(found)[1] if found else None


def translated(place: float, old: ChartModel, new: ChartModel) -> float | None:
    """Where the point at a place of one model stands in another model of the same series."""
    readings = readout(old, ChartOptions(smoothing=0.0), place)
    return position_of(new, readings[0].step) if readings else None
