"""Charts of a run: which curves and marks they have."""

from __future__ import annotations

import math

from lossmon.analysis.sentences import nearest_checkpoint
from lossmon.types import RunSnapshot, RunState, Severity, Split, VerdictChange
from lossmon.ui.chart.axes.log_x import logarithmic
from lossmon.ui.chart.main_charts import eval_sets
from lossmon.ui.chart.model import ChartModel, Curve, Mark
from lossmon.ui.chart.positions import placed_curve, position_of_step
from lossmon.ui.chart.view_options import ChartSettings, XAxis

MOST_TURNS = 12
"""Changes of the badge that are marked: more would hide the labels of the axis."""

MOST_CHECKPOINTS = 8
"""Checkpoints that are all marked; of more only those that matter."""


EVAL_SETS = ("series-3", "series-7", "series-8")
"""Colour roles of the eval sets beside the headline one."""


def model_of(
    run: RunSnapshot,
    settings: ChartSettings,
    shown: tuple[int, ...],
    context: tuple[int, ...] = (),
    behind: tuple[int, ...] = (),
) -> ChartModel:
    """The chart of some series of a run.

    Args:
        run: The run.
        settings: How to see it.
        shown: Indices into the run's series, the most important first.
        context: Series that are drawn elsewhere but share the axes.
        behind: Series that are drawn faintly behind them.
    """
    curves = tuple(_curve(run, settings.x, index) for index in shown)
    model = ChartModel(
        curves=curves,
        marks=_marks(run, settings, shown),
        context=tuple(_curve(run, settings.x, index) for index in context),
        behind=tuple(_curve(run, settings.x, index) for index in behind),
        total=_total(run, settings),
        live=run.state in (RunState.RUNNING, RunState.STALLED),
    )
    return logarithmic(model) if settings.log_x else model


def style_of(run: RunSnapshot, index: int) -> str:
    """The colour role of a series."""
    if index == run.train:
        return "train"
    if index == run.eval:
        return "eval"
    further = eval_sets(run)[1:]
    if index in further:
        return EVAL_SETS[further.index(index)]
    return "eval" if run.series[index].meaning.split is Split.EVAL else "other"


def _curve(run: RunSnapshot, x: XAxis, index: int) -> Curve:
    return placed_curve(run, run.series[index], x, style_of(run, index))


def _total(run: RunSnapshot, settings: ChartSettings) -> float | None:
    if settings.x is XAxis.STEP:
        return None if run.total_steps is None else float(run.total_steps)
    epochs = run.total_epochs if settings.x is XAxis.EPOCH else None
    return epochs if epochs is not None and math.isfinite(epochs) else None


def _marks(run: RunSnapshot, settings: ChartSettings, shown: tuple[int, ...]) -> tuple[Mark, ...]:
    lead = run.series[shown[0]] if shown else None
    if lead is None or not len(lead):
        return ()
    marks = [
        Mark(position_of_step(run, lead, step, settings.x), "restart")
        for step in run.restarts[-20:]
    ]
    for at, index in enumerate(shown):
        series = run.series[index]
        if index == run.eval and series.n > 1 and math.isfinite(series.minimum):
            x = position_of_step(run, series, series.min_step, settings.x)
            marks.append(Mark(x, "min", y=series.minimum, curve=at))
    for turn in turns_worth_a_mark(run.diagnosis.history):
        x = position_of_step(run, lead, turn.step, settings.x)
        marks.append(Mark(x, "verdict", severity=turn.severity))
    if run.eval in shown or run.eval is None:
        marks += [
            Mark(position_of_step(run, lead, step, settings.x), "checkpoint")
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
