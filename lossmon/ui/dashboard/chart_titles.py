"""Titles and footers of charts."""

from __future__ import annotations

import math

import numpy as np

from lossmon.analysis.generalisation_gap import gap_series
from lossmon.analysis.sentences import best_checkpoint
from lossmon.types import Axis, Floats, Kind, RunSnapshot, Series
from lossmon.ui.chart.model import ChartOptions, Shade, XAxis
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.chart.positions import axis_of
from lossmon.ui.chart.run_model import style_of
from lossmon.ui.metrics.names import display_name
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, join

RECENT_SHARE = 5
"""The slope is that of the newest fifth of the run: long enough to mean something."""


SPACIOUS = 84
"""Cells of a pane from which its title spells numbers with four digits instead of three."""


LEVEL = 1000
"""Lengths of a run in which a slope that is not worth a number crosses the range of values."""


ROUNDING = 1e-9
"""Share of a value below which a change is none."""


SMALL = 0.1
"""Below this three decimals leave too few digits."""


FEWEST_FOR_SLOPE = 10
"""Points below which a slope is noise."""


def options_of(scene: Scene, lead: int | None = None) -> ChartOptions:
    """How the user wants the charts.

    Args:
        lead: Index of the first series of a chart, which may lack the wanted x axis; or None.
    """
    chart_settings = scene.chart_settings
    return ChartOptions(
        smoothing=chart_settings.smoothing,
        log_y=chart_settings.log,
        hide_outliers=chart_settings.robust,
        x_axis=chart_settings.x if x_axis_of(scene, lead) is chart_settings.x else XAxis.STEP,
        recent=chart_settings.recent,
        marker="braille" if scene.terminal.unicode else "ascii",
        mono=scene.terminal.colors == 0,
    )


def shade_of(scene: Scene) -> Shade:
    """How the gap is filled: in ASCII any filling would look like points."""
    if not scene.terminal.unicode:
        return "none"
    return "texture" if scene.terminal.plain else "tint"


def x_axis_of(scene: Scene, lead: int | None) -> XAxis:
    """What the x axis of a chart counts: the wanted axis, or the one its first series has."""
    run, x = scene.run, scene.chart_settings.x
    if run is None or lead is None or lead >= len(run.series):
        return x
    return axis_of(run, run.series[lead], x)


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


def title_of(
    scene: Scene, run: RunSnapshot, index: int, room: int, line: float | None = None
) -> list[tuple[int, Line]]:
    """Parts of a title with importance: name and newest value, minimum, slope.

    Args:
        index: Index into its series.
        room: Cells of the pane.
        line: Where the smoothed line ends, NaN where that is out of view, None where the line goes
            through the points.
    """
    series = run.series[index]
    role = style_of(run, index)
    role = SERIES_ROLES.get(role, "foreground" if role == "other" else role)
    if index == run.train or (index == run.eval and not series.meaning.part):
        name = scene.say("train" if index == run.train else "eval")
    else:
        name = scene.metric(display_name(series))
    if not math.isfinite(series.last):
        line, value_role = None, "critical"
    else:
        value_role = f"{role}!"
    ends_here = line is not None and math.isfinite(line)
    newest = line if line is not None and ends_here else series.last
    digits = 4 if room >= SPACIOUS or abs(newest) < SMALL else 3
    kind = EMPTY if line is None or ends_here else ((scene.say("raw") + " ", MUTED),)
    value = (numbers.value(newest, digits), value_role)
    head: Line = ((name + " ", f"{role}!"), *kind, value)
    raw = _labelled(scene.say("raw"), series.last, digits) if ends_here else EMPTY
    best = _best(scene, series, room, is_raw=line is not None)
    return [(0, head), (3, raw), (1, best), (2, _trend(scene, run, index))]


def _labelled(label: str, number: float, digits: int) -> Line:
    return ((label + " ", MUTED), (numbers.value(number, digits), TEXT))


def _best(scene: Scene, series: Series, room: int, *, is_raw: bool) -> Line:
    """The best point, where one direction is good; `is_raw` says that it is not one of the line."""
    higher = series.meaning.lower_is_better is False
    value, step = series.minimum, series.min_step
    if higher:
        value, step = series.maximum, series.max_step
    is_loss = series.meaning.kind is Kind.LOSS
    if series.minimum == series.maximum or not math.isfinite(value):
        return ()
    if series.meaning.lower_is_better is None and not is_loss:
        return ()
    spacious = room >= SPACIOUS
    at = f"{' ' if spacious else ''}@{numbers.si(step)}"
    digits = 4 if spacious or abs(value) < SMALL else 3
    usual, raw = ("max", "raw max") if higher else ("min", "raw min")
    label = scene.say(raw if is_raw else usual)
    return (*_labelled(label, value, digits), (at, MUTED))


def _is_level(series: Series, slope: float) -> bool:
    """Whether a slope would take a thousand runs like this to cross the range of the values, or is
    only what rounding makes."""
    rise = abs(slope) * (series.last_step - series.first_step)
    size = max(abs(series.maximum), abs(series.minimum))
    return rise <= max((series.maximum - series.minimum) / LEVEL, size * ROUNDING)


def _trend(scene: Scene, run: RunSnapshot, index: int) -> Line:
    series = run.series[index]
    if index == run.eval:
        if len(series) < 2:
            return ()
        change = float(series.values[-1]) - float(series.values[-2])
        if not math.isfinite(change):
            return ()
        sign = "+" if change >= 0 else "−"
        return ((f"{sign}{numbers.si(abs(change), 2)}/{scene.say('eval')}", MUTED),)
    slope = slope_of(series)
    if slope is None or _is_level(series, slope):
        return ()
    if series.axis is Axis.EPOCH:
        return ((f"{numbers.slope(slope, 1)}/{scene.say('epoch')}", MUTED),)
    return ((numbers.slope(slope, slope_steps(run)), MUTED),)


def slope_steps(run: RunSnapshot) -> int:
    """How many steps slopes are given for: about a hundredth of the run, and the same for all its
    life where its length is planned."""
    length = run.total_steps or run.step or 0
    return next((steps for steps in (100, 1000, 10_000) if length < 200 * steps), 100_000)


def gap_of(scene: Scene, run: RunSnapshot) -> Line:
    """How far the eval loss lies above the train loss; empty where one is unknown or NaN."""
    newest = [one.last for one in (run.train_loss, run.eval_loss) if one is not None]
    gap = gap_series(run) if all(map(math.isfinite, newest)) else None
    return EMPTY if gap is None else _labelled(scene.say("gap"), gap.last, 3)


def footer_of(scene: Scene, run: RunSnapshot, shown: tuple[int, ...]) -> Line:
    """What stands at the lower edge: the gap of both curves, or the best checkpoint."""
    parts: list[Line] = []
    if run.train in shown and run.eval in shown:
        parts.append(gap_of(scene, run))
    if run.eval in shown and (kept := best_checkpoint(run, scene.language)):
        parts.append(((f"▼ {scene.say('best')}: {clean(kept)}", MUTED),))
    if run.train in shown and evals_overdue(run):
        parts.append(((scene.say("no eval loss so far"), MUTED),))
    return join(parts, ("  ", TEXT))


LATE = 1.5
"""Intervals without any eval after which the first one is overdue."""

_EVAL_STEPS = ("eval_steps", "eval_interval", "eval_every", "eval_freq", "evaluation_interval")
"""Settings that say after how many steps a run evaluates."""


def evals_overdue(run: RunSnapshot) -> bool:
    """Whether a run that is set to evaluate has not logged an eval loss in time."""
    if run.eval is not None or run.step is None:
        return False
    settings = {
        name.rpartition("/")[2].rpartition(".")[2]: value for name, value in run.settings.items()
    }
    strategy = settings.get("eval_strategy", settings.get("evaluation_strategy", "")).lower()
    if strategy == "epoch":
        return run.epoch is not None and run.epoch > LATE
    if strategy == "no":
        return False
    return any(
        value.isdecimal() and 0 < LATE * int(value) < run.step
        for name in _EVAL_STEPS
        if (value := settings.get(name, ""))
    )


def _middle(values: Floats) -> float:
    """The upper median. (`np.median` imports masked arrays: 20 ms before the first frame.)"""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])
