"""A run as charts: which curves, where the marks stand, what the titles say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lossmon.analysis.best_checkpoint import nearest_checkpoint
from lossmon.monitor.run_state import steps_per_epoch
from lossmon.types import Axis, RunSnapshot, RunState, Series, Severity, VerdictChange
from lossmon.ui.chart.model import ChartModel, Curve, Mark, curve_of, start_of
from lossmon.ui.chart.tokens import in_tokens, tokens_at, tokens_of
from lossmon.ui.chart.view_options import ChartSettings, XAxis

MOST_TURNS = 12
"""Changes of the badge that are marked: more would hide the labels of the axis."""

MOST_CHECKPOINTS = 8
"""Checkpoints that are all marked; of more only those that matter."""


def model_of(
    run: RunSnapshot, settings: ChartSettings, shown: tuple[int, ...], context: tuple[int, ...] = ()
) -> ChartModel:
    """The chart of some series of a run.

    Args:
        run: The run.
        settings: How to see it.
        shown: Indices into the run's series, the most important first.
        context: Series that are drawn elsewhere but share the axes.
    """
    curves = tuple(_curve(run, settings, index) for index in shown)
    return ChartModel(
        curves=curves,
        marks=_marks(run, settings, shown),
        context=tuple(_curve(run, settings, index) for index in context),
        total=_total(run, settings),
        live=run.state in (RunState.RUNNING, RunState.STALLED),
    )


def style_of(run: RunSnapshot, index: int) -> str:
    """The colour role of a series."""
    if index == run.train:
        return "train"
    return "eval" if index == run.eval else "other"


def _curve(run: RunSnapshot, settings: ChartSettings, index: int) -> Curve:
    series = run.series[index]
    x = XAxis.STEP if settings.x is XAxis.TIME and not has_clock(series) else settings.x
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


def _total(run: RunSnapshot, settings: ChartSettings) -> float | None:
    if settings.x is XAxis.STEP:
        return None if run.total_steps is None else float(run.total_steps)
    epochs = run.total_epochs if settings.x is XAxis.EPOCH else None
    return epochs if epochs is not None and math.isfinite(epochs) else None


def _marks(run: RunSnapshot, settings: ChartSettings, shown: tuple[int, ...]) -> tuple[Mark, ...]:
    lead = run.series[shown[0]] if shown else None
    if lead is None or not len(lead):
        return ()
    marks = [Mark(place_of(run, lead, step, settings), "restart") for step in run.restarts[-20:]]
    for at, index in enumerate(shown):
        series = run.series[index]
        if index == run.eval and series.n > 1 and math.isfinite(series.minimum):
            x = place_of(run, series, series.min_step, settings)
            marks.append(Mark(x, "min", y=series.minimum, curve=at))
    for turn in turns_worth_a_mark(run.diagnosis.history):
        x = place_of(run, lead, turn.step, settings)
        marks.append(Mark(x, "verdict", severity=turn.severity))
    if run.eval in shown or run.eval is None:
        marks += [
            Mark(place_of(run, lead, step, settings), "checkpoint")
            for step in checkpoints_worth_a_mark(run)
        ]
    return tuple(mark for mark in marks if math.isfinite(mark.x))


def turns_worth_a_mark(history: tuple[VerdictChange, ...]) -> list[VerdictChange]:
    """The newest changes of the badge to trouble, and from trouble back to calm."""
    marked: list[VerdictChange] = []
    for turn in history:
        troubled = bool(marked) and marked[-1].severity >= Severity.NOTICE
        if turn.severity >= Severity.NOTICE or (turn.severity is Severity.OK and troubled):
            marked.append(turn)
    return marked[-MOST_TURNS:]


def checkpoints_worth_a_mark(run: RunSnapshot) -> list[int]:
    """Steps of all checkpoints where they are few, else of the one to take and the newest."""
    if len(run.checkpoints) <= MOST_CHECKPOINTS or run.best is None:
        return [step for step, _ in run.checkpoints[-MOST_CHECKPOINTS:]]
    best = nearest_checkpoint(run)
    kept = [step for step, name in run.checkpoints if best is not None and name == best.name]
    return [*kept[-1:], run.checkpoints[-1][0]]


def place_of(run: RunSnapshot, series: Series, step: int, settings: ChartSettings) -> float:
    """Where a step stands on the horizontal, in the units that are shown; NaN if unknown."""
    if settings.x is XAxis.EPOCH:
        return step / steps_per_epoch(run, series)
    if settings.x is XAxis.TOKENS:
        tokens = tokens_of(run) if series.axis is Axis.STEP else None
        return float(step) if tokens is None else tokens_at(tokens, step)
    if settings.x is XAxis.STEP or not has_clock(series):
        return float(step)
    at = min(int(np.searchsorted(series.steps, step)), len(series) - 1)
    return float(series.wall_times[at]) - start_of(run.series)


# ------------------------------------------------------------------------------- titles
