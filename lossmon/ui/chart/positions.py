"""X positions: where the points of a series stand on an axis, in shown units."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import replace

import numpy as np

from lossmon.monitor.runs.run_state import steps_per_epoch
from lossmon.types import Axis, Floats, RunSnapshot, Series
from lossmon.ui.chart.model import ChartModel, Curve, XAxis, curve_of, start_of
from lossmon.ui.chart.readout import readout


def has_axis(run: RunSnapshot, series: Series, x: XAxis) -> bool:
    """Whether the points of a series can be placed on an axis."""
    if x is XAxis.STEP:
        return series.axis is not Axis.EPOCH
    if x is XAxis.EPOCH:
        return series.axis is Axis.EPOCH or counts_epochs(run, series)
    if x is XAxis.TIME:
        return len(series) > 0 and bool(np.isfinite(series.wall_times[-1]))
    return series.axis is Axis.STEP and tokens_of(run) is not None


def axis_of(run: RunSnapshot, series: Series, x: XAxis) -> XAxis:
    """What the positions of `placed_curve` really count."""
    if has_axis(run, series, x):
        return x
    return XAxis.EPOCH if series.axis is Axis.EPOCH else XAxis.STEP


def axes_of_run(run: RunSnapshot) -> list[XAxis]:
    """Axes on which at least one series of a run can be placed; epochs only where it has some."""
    return [x for x in XAxis if any(has_axis(run, series, x) for series in run.series)]


def counts_epochs(run: RunSnapshot, series: Series) -> bool:
    """Whether the steps of a series can be given as epochs."""
    epoch = run.epoch or math.nan
    return math.isfinite(epoch) and bool(run.step) and series.axis is Axis.STEP


def placed_curve(run: RunSnapshot, series: Series, x: XAxis, style: str) -> Curve:
    """The curve of a series on an axis; on its steps where it does not have the axis.

    Args:
        run: The run, whose clock and epochs count.
        style: Colour role of the curve.
    """
    if not has_axis(run, series, x):
        return curve_of(series, style)
    tokens = tokens_of(run) if x is XAxis.TOKENS else None
    if tokens is not None:
        curve = curve_of(series, style)
        return replace(curve, x=in_tokens(series, tokens), ghost_x=curve.ghost_x[:0])
    start = start_of(run.series) if x is XAxis.TIME else None
    curve = curve_of(series, style, x, start)
    return replace(curve, unit=steps_per_epoch(run, series)) if x is XAxis.EPOCH else curve


def position_of_step(run: RunSnapshot, series: Series, step: int, x: XAxis) -> float:
    """Where a step stands on the axis of `placed_curve`; NaN if unknown."""
    if not has_axis(run, series, x):
        return float(step)
    if x is XAxis.EPOCH:
        return step / steps_per_epoch(run, series)
    tokens = tokens_of(run) if x is XAxis.TOKENS else None
    if tokens is not None:
        return tokens_at(tokens, step)
    if x is XAxis.STEP:
        return float(step)
    at = min(int(np.searchsorted(series.steps, step)), len(series) - 1)
    return float(series.wall_times[at]) - start_of(run.series)


def end_of(model: ChartModel) -> float:
    """The newest position of a model, minus infinity without points."""
    ends = (curve.last for curve in model.curves)
    return max((end for end in ends if math.isfinite(end)), default=-math.inf)


def position_in(model: ChartModel, step: int) -> float | None:
    """Position of the point nearest to a step; None without points."""
    found: list[tuple[float, float]] = []
    for curve in model.curves:
        if len(curve):
            steps = curve.x if curve.steps is None else curve.steps
            at = min(int(steps.searchsorted(step)), len(curve) - 1)
            if at and abs(int(steps[at - 1]) - step) <= abs(int(steps[at]) - step):
                at -= 1
            position = float(curve.shown(curve.x[at : at + 1])[0])
            found.append((abs(float(steps[at]) - step), position))
    return min(found)[1] if found else None


def translated(position: float, old: ChartModel, new: ChartModel) -> float | None:
    """Where the point at a position of one model stands in another model of the same series."""
    readings = readout(old, position)
    return position_in(new, readings[0].step) if readings else None


_NAMES = ("tokens", "num_tokens")
"""Names of a count of tokens seen so far, the one to prefer first."""

_REMEMBERED = 64
"""Columns of positions that are kept: those of eight runs, of a few series each."""

_placed: OrderedDict[tuple[int, int], tuple[Series, Series, Floats]] = OrderedDict()
"""Positions by the columns that they were worked out from, which are kept so that no others can
take their place in memory."""


def tokens_of(run: RunSnapshot) -> Series | None:
    """The count of the tokens that a run had seen, None where it does not count them."""
    for name in _NAMES:
        for one in run.series:
            if one.meaning.key == name and len(one) > 1 and one.axis is Axis.STEP:
                return one
    return None


def in_tokens(series: Series, tokens: Series) -> Floats:
    """Positions of the points of a series in tokens; the very same column for the same series."""
    key = id(series.steps), id(tokens.values)
    known = _placed.get(key)
    if known is None:
        known = _placed[key] = series, tokens, _seen(tokens, np.asarray(series.steps, np.float64))
        while len(_placed) > _REMEMBERED:
            _placed.popitem(last=False)
    return known[2]


def tokens_at(tokens: Series, step: int) -> float:
    """How many tokens had been seen at a step."""
    return float(_seen(tokens, np.array([step], np.float64))[0])


def _seen(tokens: Series, steps: Floats) -> Floats:
    counted = np.isfinite(tokens.values)
    # Before the first step nothing was seen; between two counts the rate is that of both.
    known = np.concatenate(([0], tokens.steps[counted]))
    seen = np.maximum.accumulate(np.concatenate(([0.0], tokens.values[counted])))
    return np.asarray(np.interp(steps, known, seen))
