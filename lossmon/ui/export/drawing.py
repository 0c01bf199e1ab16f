"""A chart as SVG: the same ranges, smoothing and ticks as on the screen, in finer dots."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats
from lossmon.ui.chart.axes.ranges import Frame, Span
from lossmon.ui.chart.axes.ticks import step_ticks, time_ticks
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.downsample import ReducedCurve
from lossmon.ui.chart.layout import horizontal, scaled, value_ticks, vertical
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, Mark
from lossmon.ui.text import numbers

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 26

ROWS = 14
"""Rows of a terminal that a chart of this height would have: as many labels it gets."""

CELLS = 110
"""Columns of a terminal that it would have: smoothing reaches as far as there."""

MOST_DOTS = 240
"""Most points of a curve that is drawn as dots with their numbers; more are a line."""


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where a step and a value stand in the picture."""

    frame: Frame

    def x(self, at: float) -> float:
        return LEFT + (at - self.frame.x.low) / self.frame.x.length * (WIDTH - LEFT - RIGHT)

    def y(self, values: Floats) -> Floats:
        span = self.frame.y
        share = (scaled(values, self.frame.log) - span.low) / span.length
        # What is outside the range stays at its edge, as on the screen.
        return TOP + (1 - np.clip(share, 0.0, 1.0)) * (HEIGHT - TOP - BOTTOM)


def draw(model: ChartModel, options: ChartOptions, title: str) -> str:
    """One chart as an `<svg>` element without colours of its own: classes name the roles.

    Args:
        title: What it is called for those who cannot see it.

    Returns:
        The element, or "" where no point can be drawn.
    """
    traces = []
    for curve in model.curves:
        trace = Trace()
        trace.update(curve, options.smoothing)
        traces.append(trace)
    x = horizontal(traces, model, options)
    losses = all(curve.loss for curve in model.curves)
    y = None if x is None else vertical(traces, options, x, None, losses=losses)
    if x is None or y is None:
        return ""
    plane = _Plane(Frame(x, y, options.log_y))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label={quoteattr(title)}>',
        *_axes(plane, options),
    ]
    for curve, trace in zip(model.curves, traces, strict=True):
        parts += _curve(plane, curve, trace, x)
    parts += [text for mark in model.marks if (text := _mark(plane, mark))]
    return "\n".join([*parts, "</svg>"])


def _axes(plane: _Plane, options: ChartOptions) -> Iterator[str]:
    frame = plane.frame
    for tick in value_ticks(frame, ROWS):
        at = float(plane.y(np.array([tick.at]))[0])
        yield f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
        yield (
            f'<text class="axis" x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
            f"{escape(tick.label)}</text>"
        )
    if options.x_axis == "time":
        ticks = time_ticks(frame.x.low, frame.x.high, 10)
    else:
        ticks = step_ticks(
            frame.x.low, frame.x.high, 10, whole=options.x_axis in ("step", "tokens")
        )
    for tick in ticks:
        yield (
            f'<text class="axis" x="{plane.x(tick.at):.1f}" y="{HEIGHT - 8}" '
            f'text-anchor="middle">{escape(tick.label)}</text>'
        )


def _curve(plane: _Plane, curve: Curve, trace: Trace, x: Span) -> Iterator[str]:
    if not len(trace):
        return
    width = WIDTH - LEFT - RIGHT
    window = trace.drawn(x, width, CELLS)
    columns = window.columns
    places = np.arange(width, dtype=np.float64) + (LEFT + 0.5)
    style = curve.style
    if curve.raw and window.smoothed:
        high, low = plane.y(columns.high), plane.y(columns.low)
        known = np.isfinite(columns.low)
        strokes = "".join(
            f"M{at:.0f} {top - 0.6:.1f}V{bottom + 0.6:.1f}"
            for at, top, bottom in zip(places[known], high[known], low[known], strict=True)
        )
        few = " few" if len(trace) <= MOST_DOTS else ""
        yield f'<path class="{style} raw{few}" d="{strokes}"/>'
    if line := _line(places, plane.y(columns.line), columns):
        yield f'<path class="{style} line" d="{line}"/>'
    if len(trace) <= MOST_DOTS and not window.smoothed:
        yield from _dots(plane, curve, trace, style)
    for at in places[columns.bad > 0][:MOST_DOTS]:
        yield f'<text class="critical" x="{at:.0f}" y="{TOP + 10}" text-anchor="middle">×</text>'


def _line(places: Floats, heights: Floats, columns: ReducedCurve) -> str:
    """Path data of a line, which breaks where all points of a column are not finite."""
    only_bad = (columns.bad > 0) & (columns.bad == columns.points)
    known = np.flatnonzero(np.isfinite(columns.line) & ~only_bad)
    breaks = np.flatnonzero(np.diff(np.cumsum(only_bad)[known])) + 1
    points = [f"{at:.1f} {top:.1f}" for at, top in zip(places[known], heights[known], strict=True)]
    bounds = [0, *breaks.tolist(), len(points)] if points else []
    return "".join("M" + "L".join(points[a:b]) for a, b in pairwise(bounds))


def _dots(plane: _Plane, curve: Curve, trace: Trace, style: str) -> Iterator[str]:
    steps = curve.x if curve.steps is None else curve.steps
    for index, (step, value) in enumerate(zip(steps.tolist(), curve.y.tolist(), strict=True)):
        if math.isfinite(value):
            top = float(plane.y(np.array([value]))[0])
            title = escape(f"{curve.name} {numbers.value(value)} at {step:,.0f}")
            yield (
                f'<circle class="{style}" cx="{plane.x(trace.position(index)):.1f}" '
                f'cy="{top:.1f}" r="2.4"><title>{title}</title></circle>'
            )


def _mark(plane: _Plane, mark: Mark) -> str:
    if not plane.frame.x.low <= mark.x <= plane.frame.x.high:
        return ""
    at = plane.x(mark.x)
    if mark.kind == "min" and mark.y is not None:
        top = float(plane.y(np.array([mark.y]))[0])
        return f'<text class="mark" x="{at:.1f}" y="{top - 5:.1f}" text-anchor="middle">▼</text>'
    if mark.kind == "restart":
        return f'<path class="restart" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
    if mark.kind == "verdict":
        role = mark.severity.word
        return f'<path class="turn {role}" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
    if mark.kind == "checkpoint":
        return f'<path class="checkpoint" d="M{at:.1f} {HEIGHT - BOTTOM}v-7"/>'
    return ""


SPARK_WIDTH, SPARK_HEIGHT = 160, 28
"""Pixels of a small line."""


def spark(values: Floats) -> str:
    """A small line of finite values, oldest first; "" below two of them."""
    width, height = SPARK_WIDTH, SPARK_HEIGHT
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return ""
    cuts = np.unique(np.linspace(0, len(known), min(len(known), width) + 1).astype(np.int64))[:-1]
    lows, highs = np.minimum.reduceat(known, cuts), np.maximum.reduceat(known, cuts)
    both: Sequence[float] = np.column_stack((highs, lows)).ravel().tolist()
    least, most = min(both), max(both)
    scale = (height - 4) / (most - least) if most > least else 0.0
    places = np.repeat(np.linspace(1, width - 1, len(cuts)), 2).tolist()
    points = " ".join(
        f"{at:.1f},{height - 2 - (value - least) * scale:.1f}"
        for at, value in zip(places, both, strict=True)
    )
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<polyline points="{points}"/></svg>'
    )
