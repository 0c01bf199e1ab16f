"""Logarithmic positions: a chart whose horizontal counts in powers of ten."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import replace

import numpy as np

from lossmon.types import Floats
from lossmon.ui.chart.axes.ticks import Tick, decade_ticks
from lossmon.ui.chart.model import ChartModel, Curve

_KEPT = 64
"""Columns of logarithms that are kept: a page of charts."""

_NOTHING = np.empty(0, np.float64)

_columns: OrderedDict[int, tuple[object, tuple[float, float], Floats]] = OrderedDict()
"""Logarithms by the id of the column they were made of, which is kept with them."""


def logarithmic(model: ChartModel) -> ChartModel:
    """The same chart with the decimal logarithms of its positions.

    What is not positive, as step 0, stands at the first place that is.
    """
    curves, context, behind = (
        tuple(map(_logarithmic, some)) for some in (model.curves, model.context, model.behind)
    )
    marks = tuple(replace(mark, x=log_position(mark.x)) for mark in model.marks if mark.x > 0)
    total = log_position(model.total) if model.total is not None and model.total > 0 else None
    return replace(
        model,
        curves=curves,
        context=context,
        behind=behind,
        marks=marks,
        total=total,
        log_x=True,
    )


def log_position(position: float) -> float:
    """Where a positive position stands on a logarithmic axis."""
    return math.log10(position)


def position_ticks(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Labels for the logarithms from `low` to `high`, placed at logarithms."""
    with np.errstate(over="ignore", under="ignore"):
        start, end = np.power(10.0, [low, high]).tolist()
    return tuple(replace(tick, at=math.log10(tick.at)) for tick in decade_ticks(start, end, most))


def _logarithmic(curve: Curve) -> Curve:
    steps = curve.steps
    if steps is None and curve.x.dtype.kind != "f":
        steps = np.asarray(curve.x, np.int64)
    # What a restart made void is left out: the axis is for the shape of the whole.
    return replace(
        curve,
        x=_column(curve),
        origin=0.0,
        unit=1.0,
        ghost_x=_NOTHING,
        ghost_y=_NOTHING,
        steps=steps,
    )


def _column(curve: Curve) -> Floats:
    """The logarithms of the positions; the very same column while those are."""
    scale = curve.origin, curve.unit
    known = _columns.get(id(curve.x))
    if known is not None and known[0] is curve.x and known[1] == scale:
        _columns.move_to_end(id(curve.x))
        return known[2]
    shown = curve.shown(curve.x)
    positive = shown[shown > 0]
    least = float(positive.min()) if len(positive) else 1.0
    column = np.log10(np.where(shown > 0, shown, np.where(np.isnan(shown), np.nan, least)))
    _columns[id(curve.x)] = (curve.x, scale, column)
    while len(_columns) > _KEPT:
        _columns.popitem(last=False)
    return column
