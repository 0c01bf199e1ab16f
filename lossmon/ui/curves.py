"""A run as charts: which curves, where the marks stand, what the titles say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lossmon.outlook.gap import gap_series
from lossmon.outlook.weights import weights
from lossmon.outlook.words import best_checkpoint
from lossmon.types import Axis, Floats, RunSnapshot, Series, Severity, State, Turn
from lossmon.ui import numbers
from lossmon.ui.lines import MUTED, TEXT, Line, clean
from lossmon.ui.plot import ChartModel, ChartOptions, Curve, Mark, curve_of, start_of
from lossmon.ui.scene import Look, Scene, XAxis
from lossmon.ui.tokens import in_tokens, tokens_at, tokens_of

RECENT_SHARE = 5
"""The slope is told of the newest fifth of the run: long enough to mean something."""

SPACIOUS = 84
"""Cells of a pane from which its title spells numbers with four digits instead of three."""

SMALL = 0.1
"""Below this three decimals leave too few digits."""

MOST_TURNS = 12
"""Changes of the badge that are marked: more would hide the labels of the axis."""

MOST_CHECKPOINTS = 8
"""Checkpoints that are all marked; of more only those that matter."""

FEWEST_FOR_SLOPE = 10
"""Points below which a slope is noise."""


def options_of(scene: Scene, *, label_width: int = 5, legend: bool = False) -> ChartOptions:
    """How the user wants the charts."""
    look = scene.look
    return ChartOptions(
        smoothing=look.smoothing,
        log_y=look.log,
        hide_outliers=look.robust,
        x_axis=look.x.value,
        recent=look.recent,
        marker="braille" if scene.terminal.unicode else "ascii",
        mono=scene.terminal.colors == 0,
        legend=legend,
        label_width=label_width,
    )


def model_of(
    run: RunSnapshot, look: Look, shown: tuple[int, ...], context: tuple[int, ...] = ()
) -> ChartModel:
    """The chart of some series of a run.

    Args:
        run: The run.
        look: How to see it.
        shown: Indices into the run's series, the most important first.
        context: Series that are drawn elsewhere but share the axes.
    """
    curves = tuple(_curve(run, look, index) for index in shown)
    return ChartModel(
        curves=curves,
        marks=_marks(run, look, shown),
        context=tuple(_curve(run, look, index) for index in context),
        total=_total(run, look),
        live=run.state in (State.RUNNING, State.STALLED),
    )


def style_of(run: RunSnapshot, index: int) -> str:
    """The colour role of a series."""
    if index == run.train:
        return "train"
    return "eval" if index == run.eval else "other"


def _curve(run: RunSnapshot, look: Look, index: int) -> Curve:
    series = run.series[index]
    x = XAxis.STEP if look.x is XAxis.TIME and not has_clock(series) else look.x
    tokens = tokens_of(run) if x is XAxis.TOKENS and series.axis is Axis.STEP else None
    if tokens is not None:
        curve = curve_of(series, style_of(run, index))
        return replace(curve, x=in_tokens(series, tokens), ghost_x=curve.ghost_x[:0])
    curve = curve_of(series, style_of(run, index), x.value, start_of(run.series))
    if x is XAxis.EPOCH:
        return replace(curve, unit=steps_per_epoch(run, series))
    return curve


def has_clock(series: Series) -> bool:
    """Whether the source told when its points were logged."""
    return len(series) > 0 and bool(np.isfinite(series.wall_times[-1]))


def shows_epochs(run: RunSnapshot, series: Series) -> bool:
    """Whether the steps of a series can be told as epochs."""
    known = bool(run.epoch) and bool(run.step) and math.isfinite(run.epoch or math.nan)
    return known and series.axis is Axis.STEP


def steps_per_epoch(run: RunSnapshot, series: Series) -> float:
    """By what steps are divided to get epochs; 1 where that is unknown or they are epochs."""
    if series.axis is Axis.EPOCH or not run.epoch or not run.step:
        return 1.0
    ratio = run.step / run.epoch
    if not 0 < ratio < math.inf:
        return 1.0
    # Logs round the epoch; a ratio that trembles would move the whole curve at every point.
    return float(round(ratio)) if ratio >= 100 else float(f"{ratio:.2g}")


def _total(run: RunSnapshot, look: Look) -> float | None:
    if look.x is XAxis.STEP:
        return None if run.total_steps is None else float(run.total_steps)
    epochs = run.total_epochs if look.x is XAxis.EPOCH else None
    return epochs if epochs is not None and math.isfinite(epochs) else None


def _marks(run: RunSnapshot, look: Look, shown: tuple[int, ...]) -> tuple[Mark, ...]:
    lead = run.series[shown[0]] if shown else None
    if lead is None or not len(lead):
        return ()
    marks = [Mark(place_of(run, lead, step, look), "restart") for step in run.restarts[-20:]]
    for at, index in enumerate(shown):
        series = run.series[index]
        if index == run.eval and series.n > 1 and math.isfinite(series.minimum):
            x = place_of(run, series, series.min_step, look)
            marks.append(Mark(x, "min", y=series.minimum, curve=at))
    for turn in turns_worth_a_mark(run.diagnosis.history):
        x = place_of(run, lead, turn.step, look)
        marks.append(Mark(x, "verdict", severity=turn.severity))
    if run.eval in shown or run.eval is None:
        marks += [
            Mark(place_of(run, lead, step, look), "checkpoint")
            for step in checkpoints_worth_a_mark(run)
        ]
    return tuple(mark for mark in marks if math.isfinite(mark.x))


def turns_worth_a_mark(history: tuple[Turn, ...]) -> list[Turn]:
    """The newest changes of the badge to trouble, and from trouble back to calm."""
    marked: list[Turn] = []
    for turn in history:
        troubled = bool(marked) and marked[-1].severity >= Severity.NOTICE
        if turn.severity >= Severity.NOTICE or (turn.severity is Severity.OK and troubled):
            marked.append(turn)
    return marked[-MOST_TURNS:]


def checkpoints_worth_a_mark(run: RunSnapshot) -> list[int]:
    """Steps of all checkpoints where they are few, else of the one to take and the newest."""
    if len(run.checkpoints) <= MOST_CHECKPOINTS or run.best is None:
        return [step for step, _ in run.checkpoints[-MOST_CHECKPOINTS:]]
    best = weights(run)
    kept = [step for step, name in run.checkpoints if best is not None and name == best.name]
    return [*kept[-1:], run.checkpoints[-1][0]]


def place_of(run: RunSnapshot, series: Series, step: int, look: Look) -> float:
    """Where a step stands on the horizontal, in the units that are shown; NaN if unknown."""
    if look.x is XAxis.EPOCH:
        return step / steps_per_epoch(run, series)
    if look.x is XAxis.TOKENS:
        tokens = tokens_of(run) if series.axis is Axis.STEP else None
        return float(step) if tokens is None else tokens_at(tokens, step)
    if look.x is XAxis.STEP or not has_clock(series):
        return float(step)
    at = min(int(np.searchsorted(series.steps, step)), len(series) - 1)
    return float(series.wall_times[at]) - start_of(run.series)


# ------------------------------------------------------------------------------- titles


def slope_of(series: Series) -> float | None:
    """Change per step over the newest fifth, by the medians of its halves; None if too short."""
    n = len(series)
    count = min(n, max(2 * FEWEST_FOR_SLOPE, n // RECENT_SHARE))
    if count < FEWEST_FOR_SLOPE:
        return None
    values, steps = series.values[n - count :], series.steps[n - count :]
    known = np.isfinite(values)
    values, steps = values[known], steps[known]
    half = len(values) // 2
    if half < FEWEST_FOR_SLOPE // 2:
        return None
    run = float(np.mean(steps[half:]) - np.mean(steps[:half]))
    rise = _middle(values[half:]) - _middle(values[:half])
    return rise / run if run > 0 else None


def title_of(scene: Scene, run: RunSnapshot, index: int, room: int) -> list[tuple[int, Line]]:
    """Parts of a title with importance: name and newest value, minimum, slope."""
    series = run.series[index]
    role = style_of(run, index)
    role = "foreground" if role == "other" else role
    alarm = not math.isfinite(series.last)
    digits = 4 if room >= SPACIOUS or abs(series.last) < SMALL else 3
    if index in (run.train, run.eval):
        name = scene.say("train" if index == run.train else "eval")
    else:
        name = clean(series.meaning.label)
    head: Line = (
        (name + " ", role),
        (numbers.value(series.last, digits), "critical" if alarm else role),
    )
    head = tuple((text, role if role == "critical" else f"{role}!") for text, role in head)
    return [(0, head), (1, _minimum(scene, series, room)), (2, _trend(scene, run, index))]


def _minimum(scene: Scene, series: Series, room: int) -> Line:
    if series.n < 2 or not math.isfinite(series.minimum):
        return ()
    spacious = room >= SPACIOUS
    at = f"{' ' if spacious else ''}@{numbers.si(series.min_step)}"
    digits = 4 if spacious or abs(series.minimum) < SMALL else 3
    least = numbers.value(series.minimum, digits)
    return ((scene.say("min") + " ", MUTED), (least, TEXT), (at, MUTED))


def _trend(scene: Scene, run: RunSnapshot, index: int) -> Line:
    series = run.series[index]
    ascii = not scene.terminal.unicode
    if index == run.eval:
        if len(series) < 2:
            return ()
        change = float(series.values[-1]) - float(series.values[-2])
        if not math.isfinite(change):
            return ()
        sign = "+" if change >= 0 else ("-" if ascii else "−")
        return ((f"{sign}{numbers.si(abs(change), 2)}/{scene.say('eval')}", MUTED),)
    slope = slope_of(series)
    return () if slope is None else ((numbers.slope(slope, ascii), MUTED),)


def footer_of(scene: Scene, run: RunSnapshot, shown: tuple[int, ...]) -> Line:
    """What stands at the lower edge: the gap of both curves, or the best checkpoint."""
    parts: list[Line] = []
    if run.train in shown and run.eval in shown and (gap := gap_series(run)) is not None:
        parts.append(((scene.say("gap") + " ", MUTED), (numbers.value(gap.last, 3), TEXT)))
    if run.eval in shown and (kept := best_checkpoint(run, scene.language)):
        parts.append(((f"▼ {scene.say('best')}: {clean(kept)}", MUTED),))
    if run.eval is None and run.step is not None and run.train in shown:
        parts.append(((scene.say("no eval loss in this run"), MUTED),))
    line: Line = ()
    for part in parts:
        line = (*line, *((("  ", TEXT),) if line else ()), *part)
    return line


def _middle(values: Floats) -> float:
    """The upper median. (`np.median` imports masked arrays: 20 ms before the first frame.)"""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])
