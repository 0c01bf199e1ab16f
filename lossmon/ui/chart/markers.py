"""Markers: places worth a jump to (verdicts, checkpoints, restarts, minima, NaN, clipped)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from lossmon.diagnosis.advice import badge_of
from lossmon.fast_dataclass import dataclass
from lossmon.locale import translate
from lossmon.types import Floats, RunSnapshot, Series
from lossmon.ui.chart.axes.ranges import Frame
from lossmon.ui.chart.layout import scaled
from lossmon.ui.chart.model import Curve, Mark, MarkKind, XAxis
from lossmon.ui.chart.positions import position_of_step
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import clean

_EDGE = 0.005
"""Share of the range by which a value must lie outside to count as clipped: half a dot."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark of the chart, and what happened there in words."""

    mark: Mark
    words: str


def markers_of(
    run: RunSnapshot, shown: tuple[int, ...], x: XAxis, language: str
) -> tuple[Marker, ...]:
    """Every marker that does not depend on the values in view, by position.

    Args:
        shown: Indices into its series of those in the chart, the most important first.
        language: Code of the language of the words.
    """
    lead = run.series[shown[0]] if shown else None
    if lead is None or not len(lead):
        return ()
    found = [
        Marker(Mark(position_of_step(run, lead, step, x), kind), words)
        for kind, step, words in _events(run, language)
    ]
    for turn in run.diagnosis.history:
        badge = badge_of(turn.code, turn.variant, language).lower()
        mark = Mark(position_of_step(run, lead, turn.step, x), "verdict", severity=turn.severity)
        found.append(Marker(mark, f"{translate('verdict', language)} {badge}"))
    for at, index in enumerate(shown):
        series = run.series[index]
        if _has_minimum(run, index, series):
            position = position_of_step(run, series, series.min_step, x)
            mark = Mark(position, "min", y=series.minimum, curve=at)
            words = f"{translate('min', language)} {numbers.value(series.minimum)}"
            found.append(Marker(mark, words))
    placed = (one for one in found if math.isfinite(one.mark.x))
    return tuple(sorted(placed, key=lambda marker: marker.mark.x))


def _events(run: RunSnapshot, language: str) -> Iterator[tuple[MarkKind, int, str]]:
    for step in run.restarts:
        yield "restart", step, translate("restart", language)
    for step, name in run.checkpoints:
        yield "checkpoint", step, f"{clean(name)} {translate('on disk', language)}"


def _has_minimum(run: RunSnapshot, index: int, series: Series) -> bool:
    """The lowest batch of a train loss is luck; that of an eval is where the weights are best."""
    wanted = index == run.eval or (index != run.train and series.meaning.lower_is_better is True)
    return wanted and series.n > 1 and math.isfinite(series.minimum)


def word_of_value(value: float, frame: Frame | None, language: str) -> str:
    """What is wrong with a value at a place, empty if nothing is."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else numbers.value(value)
    if frame is not None and _outside(np.array([value]), frame)[0]:
        return f"{translate('clipped', language)} {numbers.value(value)}"
    return ""


def jump(
    markers: Sequence[Marker],
    curves: Sequence[Curve],
    frame: Frame | None,
    start: float,
    direction: int,
) -> float | None:
    """The place of the next marker, round the ends; None where there is none at all.

    Values that are not finite and, within the frame, values beyond its edges are markers too; of
    several in a row the first.

    Args:
        curves: Whose values are looked at.
        start: Position to go on from, in shown units.
        direction: Above 0 to the right, else to the left.
    """
    places = [np.array([marker.mark.x for marker in markers], np.float64)]
    for curve in curves:
        places.append(_starts(curve, ~np.isfinite(curve.y)))
        if frame is not None:
            places.append(_starts(curve, _outside(curve.y, frame), frame))
    known = np.unique(np.concatenate(places))
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    if direction > 0:
        at = int(np.searchsorted(known, start, side="right"))
        return float(known[at % len(known)])
    return float(known[int(np.searchsorted(known, start, side="left")) - 1])


def _starts(
    curve: Curve,
    wanted: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    frame: Frame | None = None,
) -> Floats:
    """Shown positions at which a stretch of wanted points begins."""
    begins = wanted.copy()
    begins[1:] &= ~wanted[:-1]
    chosen = np.flatnonzero(begins[: len(curve.x)])
    x = curve.shown(curve.x[chosen])
    if frame is None:
        return x
    return np.asarray(x[(x >= frame.x.low) & (x <= frame.x.high)])


def _outside(values: Floats, frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    reach = _EDGE * frame.y.length
    with np.errstate(invalid="ignore"):
        placed = scaled(values, frame.log)
        outside = (placed > frame.y.high + reach) | (placed < frame.y.low - reach)
    return np.asarray(outside & np.isfinite(values))
