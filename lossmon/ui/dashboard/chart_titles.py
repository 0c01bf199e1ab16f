"""Titles and footers of charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np

from lossmon.analysis.generalisation_gap import gap_series
from lossmon.analysis.sentences import best_checkpoint
from lossmon.types import Axis, Floats, Kind, RunSnapshot, Series
from lossmon.ui.chart.model import ChartOptions, ChartSettings, Shade, XAxis
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.chart.positions import axis_of
from lossmon.ui.chart.run_model import eval_sets, style_of
from lossmon.ui.metrics.entries import key_of
from lossmon.ui.metrics.names import display_name
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, fit, join, width

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


def options_of(scene: Scene, lead: Series | None = None) -> ChartOptions:
    """How the user wants the charts.

    Args:
        lead: First series of a chart, which may lack the wanted x axis; or None.
    """
    chart_settings = scene.chart_settings
    return ChartOptions(
        smoothing=chart_settings.smoothing,
        log_y=_is_log(chart_settings, lead),
        hide_outliers=chart_settings.robust,
        x_axis=chart_settings.x if x_axis_of(scene, lead) is chart_settings.x else XAxis.STEP,
        recent=chart_settings.recent,
        guides=chart_settings.guides,
        marker="braille" if scene.terminal.unicode else "ascii",
        mono=scene.terminal.colors == 0,
    )


def _is_log(settings: ChartSettings, lead: Series | None) -> bool:
    """Whether the y axis is logarithmic: by choice, else where the losses are and it suits."""
    if lead is None:
        return settings.log
    # Values at most zero have no logarithm.
    suits = lead.meaning.kind is Kind.LOSS and lead.minimum > 0
    return settings.log_charts.get(key_of(lead), settings.log and suits) and lead.maximum > 0


def shade_of(scene: Scene) -> Shade:
    """How the gap is filled: in ASCII any filling would look like points."""
    if not scene.terminal.unicode:
        return "none"
    return "texture" if scene.terminal.plain else "tint"


def x_axis_of(scene: Scene, lead: Series | None) -> XAxis:
    """What the x axis of a chart counts: the wanted axis, or the one its first series has."""
    run, x = scene.run, scene.chart_settings.x
    return x if run is None or lead is None else axis_of(run, lead, x)


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
    """Parts of a title with importance: name and newest value, minimum, slope, smoothed value.

    The newest value is that of the log and of the list of runs, whatever the width of the pane and
    the smoothing that comes with it.

    Args:
        index: Index into its series.
        room: Cells of the pane.
        line: Where the smoothed line ends, NaN where that is out of view, None where the line goes
            through the points.
    """
    series = run.series[index]
    role, name = role_of(run, index), _name_of(scene, run, index)
    value_role = f"{role}!" if math.isfinite(series.last) else "critical"
    digits = 4 if room >= SPACIOUS or abs(series.last) < SMALL else 3
    head: Line = ((name + " ", f"{role}!"), (numbers.value(series.last, digits), value_role))
    smoothed = EMPTY
    if line is not None and math.isfinite(line) and math.isfinite(series.last):
        smoothed = _labelled(scene.say("smoothed"), line, digits)
    return [
        (0, head),
        (1, _best(scene, series, room)),
        (2, _trend(scene, run, index)),
        (3, smoothed),
    ]


def role_of(run: RunSnapshot, index: int) -> str:
    """The role of the theme that a series has in its chart and its title."""
    role = style_of(run, index)
    return SERIES_ROLES.get(role, "foreground" if role == "other" else role)


def _name_of(scene: Scene, run: RunSnapshot, index: int) -> str:
    series, letter = run.series[index], letter_of(scene, run, index)
    if index == run.train and not series.meaning.part:
        return scene.say("train")
    if index == run.eval and (len(eval_sets(run)) > 1 or not series.meaning.part):
        return f"{letter}{scene.say('eval')} {clean(series.meaning.part)}".rstrip()
    return scene.metric(display_name(series))


def letter_of(scene: Scene, run: RunSnapshot, index: int) -> str:
    """What stands at the end of a line and before its name where no colour tells eval sets apart:
    a letter and a blank, empty elsewhere."""
    sets = eval_sets(run)
    is_told = scene.terminal.colors > 0 or len(sets) < 2 or index not in sets
    return "" if is_told else f"{ascii_uppercase[sets.index(index)]} "


def further_sets(scene: Scene, run: RunSnapshot, shown: Sequence[int], room: int) -> Line:
    """The eval sets beside the headline one in a chart: their names, as many as so many cells hold,
    with their newest values where there is room for all."""
    names: list[Line] = []
    whole: list[Line] = []
    for index in (one for one in shown if one in eval_sets(run)[1:]):
        series, role = run.series[index], f"{role_of(run, index)}!"
        name = letter_of(scene, run, index) + clean(series.meaning.part)
        names.append(((name, role),))
        whole.append(((f"{name} {numbers.value(series.last, 3)}", role),))
    line = join(whole, ("  ", TEXT))
    between = " · " if scene.terminal.colors else " "
    return line if width(line) <= room else fit(join(names, (between, MUTED)), room)


def _labelled(label: str, number: float, digits: int) -> Line:
    return ((label + " ", MUTED), (numbers.value(number, digits), TEXT))


def _best(scene: Scene, series: Series, room: int) -> Line:
    """The best point, where one direction is good."""
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
    return (*_labelled(scene.say("max" if higher else "min"), value, digits), (at, MUTED))


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
        return ((f"{numbers.signed(change)}/{scene.say('eval')}", MUTED),)
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
    if gap is None:
        return EMPTY
    # No finer than the losses stand beside it: nearly no gap is none.
    decimals = len(numbers.value(newest[-1], 3).partition(".")[2])
    is_none = decimals < 6 and abs(gap.last) < 0.5 / 10**decimals
    return _labelled(scene.say("gap"), 0.0 if is_none else gap.last, 3)


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
