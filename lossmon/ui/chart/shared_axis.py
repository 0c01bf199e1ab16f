"""Where the points of a run stand on an axis that several runs share."""

from __future__ import annotations

from dataclasses import replace

from lossmon.monitor.run_state import steps_per_epoch
from lossmon.types import Axis, RunSnapshot, Series
from lossmon.ui.chart.model import Curve, curve_of, start_of
from lossmon.ui.chart.run_model import has_clock
from lossmon.ui.chart.tokens import in_tokens, tokens_of
from lossmon.ui.chart.view_options import XAxis


def has_axis(run: RunSnapshot, series: Series, x: XAxis) -> bool:
    """Whether the points of a series can be placed on an axis."""
    if x is XAxis.STEP:
        return series.axis is not Axis.EPOCH
    if x is XAxis.EPOCH:
        known = bool(run.epoch) and bool(run.step) and series.axis is Axis.STEP
        return known or series.axis is Axis.EPOCH
    if x is XAxis.TIME:
        return has_clock(series)
    return series.axis is Axis.STEP and tokens_of(run) is not None


def placed_curve(run: RunSnapshot, series: Series, x: XAxis, style: str) -> Curve:
    """The curve of a series on an axis that it has, see `has_axis`."""
    tokens = tokens_of(run) if x is XAxis.TOKENS else None
    if tokens is not None:
        curve = curve_of(series, style)
        return replace(curve, x=in_tokens(series, tokens), ghost_x=curve.ghost_x[:0])
    curve = curve_of(series, style, x.value, start_of(run.series))
    return replace(curve, unit=steps_per_epoch(run, series)) if x is XAxis.EPOCH else curve
