"""Charts of PR curves: precision over recall, both from 0 to 1."""

from __future__ import annotations

from dataclasses import replace

from lossmon.types import PrCurve
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve
from lossmon.ui.chart.view_options import XAxis

_UNIT = (0.0, 1.0)


def curve_model(curve: PrCurve | None) -> ChartModel:
    """Model of the chart of a curve; empty where there is none."""
    if curve is None:
        return ChartModel()
    return ChartModel((Curve("", curve.recall, curve.precision, smooth=False),))


def unsmoothed(options: ChartOptions) -> ChartOptions:
    """Options for exact values over the whole run."""
    return replace(options, smoothing=0.0, log_y=False, recent=False, points=True)


def unit_square(options: ChartOptions) -> ChartOptions:
    """Options for axes that are shares: the epoch is the axis that has labels below one."""
    exact = unsmoothed(options)
    return replace(exact, x_axis=XAxis.EPOCH, x_range=_UNIT, y_range=_UNIT)
