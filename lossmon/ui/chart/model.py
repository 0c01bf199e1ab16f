"""Model of a chart: curves, marks and options. Values only, no drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Literal

import numpy as np

from lossmon.config import Config
from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints, Kind, Series, Severity, Split
from lossmon.ui.chart.downsample import DEFAULT_WEIGHT


class XAxis(StrEnum):
    """What the charts count along the horizontal."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"
    TOKENS = "tokens"


class Guides(StrEnum):
    """Faint lines behind the curves, at the labels of the axes."""

    NONE = "none"
    HORIZONTAL = "horizontal"
    GRID = "grid"


SMOOTHINGS = (0.0, 0.3, DEFAULT_WEIGHT, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
"""The ladder of `+` and `-`: each step about doubles how far the smoothing reaches."""


@dataclass(frozen=True, slots=True)
class ChartSettings:
    """How the user wants to see the charts.

    Attributes:
        smoothing: How much dense curves are smoothed, 0 to 0.999.
        x: What the horizontal counts.
        log: Logarithmic loss.
        log_charts: Whether the y axis is logarithmic, by the keys of the charts for which this was
            chosen; of the others, those of losses follow `log`.
        log_x: Logarithmic horizontal.
        robust: The range ignores outliers, which are marked at the edge.
        own: Each pane has its own range instead of a shared one.
        recent: Only the newest part of the run.
        overlaid: Train and eval in one pane even where two fit.
        guides: Lines behind the curves.
        hidden: Panes that the user closed: `train`, `eval`, `metrics`, `hardware`,
            `configuration`, `log`, `verdicts`.
        sizes: Sizes that the user gave to panes, as in `PaneLayout`.
    """

    smoothing: float = DEFAULT_WEIGHT
    x: XAxis = XAxis.STEP
    log: bool = False
    log_charts: Mapping[str, bool] = field(default_factory=dict)
    log_x: bool = False
    robust: bool = True
    own: bool = True
    recent: bool = False
    overlaid: bool = False
    guides: Guides = Guides.NONE
    hidden: frozenset[str] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)


def chart_settings_of(config: Config) -> ChartSettings:
    """How the charts begin."""
    return ChartSettings(
        smoothing=config.smoothing,
        x=XAxis(config.x_axis),
        log=config.log_y,
        robust=not config.outliers,
        guides=Guides(config.guides),
    )


Marker = Literal["braille", "block", "ascii"]
MarkKind = Literal["min", "nan", "restart", "verdict", "checkpoint", "clipped"]
Shade = Literal["none", "tint", "texture"]


def _no_floats() -> Floats:
    return np.empty(0, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One series to draw. Columns are never changed; a live curve is given again, longer.

    Attributes:
        name: What the legend calls it. Hostile text is cleaned when it is drawn.
        x: Positions, not decreasing: steps (int64) or seconds (float64). Others are drawn at
            the largest position so far; NaN likewise.
        y: Values of the same length, NaN and infinities included.
        style: Colour role: `train`, `eval`, `other`, or `series-1` to `series-8`, the latter
            fainter with `-calm` behind it.
        smooth: The options' smoothing applies where the points are dense. Off for exact values.
        raw: Raw points are shown faintly behind the smoothed line.
        origin: What is subtracted from `x` before it is shown (the start of the run).
        unit: What `x - origin` is divided by (steps per epoch).
        ghost_x: Positions of points that a restart made void.
        ghost_y: Their values.
        steps: Steps of the points, for the readout; by default `x`.
        wall_times: Seconds since the Unix epoch of the points, for the readout.
        letter: One character at its end that tells it from the others, or empty.
        loss: It should fall: its range shows a rise behind its minimum large enough to be seen.
    """

    name: str
    x: Floats | Ints
    y: Floats
    style: str = "train"
    smooth: bool = True
    raw: bool = True
    origin: float = 0.0
    unit: float = 1.0
    ghost_x: Floats | Ints = field(default_factory=_no_floats)
    ghost_y: Floats = field(default_factory=_no_floats)
    steps: Ints | None = None
    wall_times: Floats | None = None
    letter: str = ""
    loss: bool = False

    def __len__(self) -> int:
        return len(self.y)

    def shown(self, x: Floats | Ints) -> Floats:
        """Positions in shown units."""
        return (np.asarray(x, np.float64) - self.origin) / (self.unit or 1.0)

    @property
    def last(self) -> float:
        """Newest position in shown units, NaN without points."""
        return float(self.shown(self.x[-1:])[0]) if len(self.x) else math.nan

    def same(self, other: Curve) -> bool:
        """Whether both are drawn alike because they hold the very same columns."""
        return (
            self.y is other.y
            and self.x is other.x
            and self.ghost_y is other.ghost_y
            and (self.name, self.style, self.smooth, self.raw, self.origin, self.unit)
            == (other.name, other.style, other.smooth, other.raw, other.origin, other.unit)
            and self.letter == other.letter
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """A place worth seeing.

    Attributes:
        x: Where, in shown units.
        kind: What happened there.
        y: Value, for a mark that sits on a curve (`min`); else it stands at the edge, and
            verdicts and checkpoints stand among the labels of the x axis.
        curve: Index of the curve it belongs to, or None.
        severity: Of a verdict: decides its glyph and its colour.
    """

    x: float
    kind: MarkKind
    y: float | None = None
    curve: int | None = None
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class ChartModel:
    """All that one chart shows.

    Attributes:
        curves: Curves, the most important first.
        marks: Places to point out. Non-finite and clipped points are found by the chart itself.
        context: Curves that share the ranges of both axes but are drawn elsewhere: give each of
            two panes the other's curve, and their axes agree.
        behind: Curves drawn faintly behind the others: they share the range of the positions, but
            that of the values does not follow them.
        total: Where the x axis is planned to end, or None.
        live: More points will come: the right edge stays ahead of the curve.
        log_x: The positions are decimal logarithms (see `logarithmic`).
    """

    curves: tuple[Curve, ...] = ()
    marks: tuple[Mark, ...] = ()
    context: tuple[Curve, ...] = ()
    behind: tuple[Curve, ...] = ()
    total: float | None = None
    live: bool = True
    log_x: bool = False


@dataclass(frozen=True, slots=True)
class ChartOptions:
    """How it is shown.

    Attributes:
        smoothing: How much dense curves are smoothed, 0 to 0.999.
        log_y: Logarithmic values.
        hide_outliers: Values far outside the bulk are marked at the edge, not drawn.
        x_axis: What the positions are, which decides how they are labelled.
        recent: Only the last fifth of the run.
        x_range: Positions to show, or None for all.
        y_range: Values to show, or None to fit.
        marker: What curves are made of; `ascii` uses ASCII alone, everywhere.
        mono: No colours: curves differ by their pattern.
        shade_gap: How the room between the two curves of a chart is filled: with a tinted ground,
            or with a light texture where there are no colours for one.
        points: Raw points that are few enough are drawn one by one, over the lines, and a
            checkpoint whose place is taken stands beside it.
        cursor: Position of a vertical line, or None.
        guides: Lines behind the curves.
    """

    smoothing: float = DEFAULT_WEIGHT
    log_y: bool = False
    hide_outliers: bool = True
    x_axis: XAxis = XAxis.STEP
    recent: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    marker: Marker = "braille"
    mono: bool = False
    shade_gap: Shade = "none"
    points: bool = False
    cursor: float | None = None
    guides: Guides = Guides.NONE


def curve_of(
    series: Series, style: str, x_axis: XAxis = XAxis.STEP, start: float | None = None
) -> Curve:
    """The curve of a series as the store holds it.

    On the epoch axis the caller sets `unit` to the steps per epoch, see `dataclasses.replace`.

    Args:
        series: The columns.
        x_axis: On the time axis positions are seconds since `start`.
        start: Seconds since the Unix epoch at which the run began; by default the first point
            of this series. Curves of one chart share it, or they do not lie on one axis.
    """
    curve = Curve(
        series.meaning.label,
        series.steps,
        series.values,
        style,
        smooth=style != "eval" and not is_exact(series),
        ghost_x=series.ghost_steps,
        ghost_y=series.ghost_values,
        steps=series.steps,
        wall_times=series.wall_times,
        loss=series.meaning.kind is Kind.LOSS,
    )
    if x_axis is not XAxis.TIME:
        return curve
    origin = start_of((series,)) if start is None else start
    return replace(
        curve,
        x=series.wall_times,
        origin=origin,
        ghost_x=_no_floats(),
        ghost_y=_no_floats(),
    )


def is_exact(series: Series) -> bool:
    """Whether the values are what they are and no noisy samples: a learning rate follows its
    schedule, and what is measured on eval data is a mean already."""
    meaning = series.meaning
    return meaning.kind is Kind.LEARNING_RATE or meaning.split is Split.EVAL


def start_of(series: Iterable[Series]) -> float:
    """When the first point of any series was logged, in seconds since the Unix epoch; 0 where
    no clock is known."""
    starts = [_first_finite(one.wall_times) for one in series]
    return min((start for start in starts if start is not None), default=0.0)


def _first_finite(times: Floats) -> float | None:
    # Nearly always it is the very first one, which is not worth a pass over a million.
    for part in (times[:1], times):
        known = np.isfinite(part)
        if known.any():
            return float(part[known.argmax()])
    return None
