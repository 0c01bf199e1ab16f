"""Charts of a run: which series have a pane, and which curves and marks it shows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from lossmon.analysis.sentences import nearest_checkpoint
from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import Kind, RunSnapshot, RunState, Series, Severity, Split, VerdictChange
from lossmon.ui.chart.axes.log_x import logarithmic
from lossmon.ui.chart.model import ChartModel, ChartSettings, Curve, Mark, XAxis
from lossmon.ui.chart.positions import placed_curve, position_of_step

MOST_TURNS = 12
"""Changes of the badge that are marked: more would hide the labels of the axis."""

MOST_CHECKPOINTS = 8
"""Checkpoints that are all marked; of more only those that matter."""


EVAL_SETS = ("series-3", "series-7", "series-6", "series-4", "series-8", "series-5")
"""Colour roles of the eval sets beside the headline one; more lines could not be told apart."""


def model_of(
    run: RunSnapshot,
    settings: ChartSettings,
    shown: tuple[int, ...],
    context: tuple[int, ...] = (),
    behind: tuple[int, ...] = (),
) -> ChartModel:
    """The chart of some series of a run.

    Args:
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


_REWARD, _KL, _LENGTH, _MARGIN, _ACCURACY = (
    lazy_pattern(pattern)
    for pattern in (
        r"(^|/)((ep(isode)?_)?(mean_)?(rew(ard)?|return|score)s?(_(mean|avg))?)$|ep_rew_mean$",
        r"(^|[/_])(mean_)?kl([/_](div|mean|avg|loss|penalty|divergence))?$",
        r"(^|/)((ep(isode)?|rollout_ep|responses?|completions?|generation)[/_])?((mean|avg)_)?"
        r"len(gth)?s?([/_](mean|avg))?$",
        r"rewards?[/_]margins?$",
        r"rewards?[/_]accurac(y|ies)$",
    )
)


def eval_sets(run: RunSnapshot) -> tuple[int, ...]:
    """Indices of the losses of all eval sets, the headline one first; empty without any.

    Where the headline is a total, what has a part is a component of it and no other set.
    """
    if run.eval is None:
        return ()
    headline = run.series[run.eval]
    if not headline.meaning.part:
        return (run.eval,)
    others = [
        index
        for index, one in enumerate(run.series)
        if index != run.eval and _is_set_beside(one, headline)
    ]
    return (run.eval, *others[: len(EVAL_SETS)])


def _is_set_beside(one: Series, headline: Series) -> bool:
    meaning = one.meaning
    is_loss = meaning.kind is Kind.LOSS and meaning.split is Split.EVAL and not meaning.summary
    return is_loss and bool(meaning.part) and one.axis is headline.axis and len(one) > 0


def reward_charts(run: RunSnapshot) -> tuple[tuple[int, ...], ...]:
    """What leads in runs whose loss says little: reward, KL and length, or margin and accuracy of
    the rewards, and then the loss; empty for other runs, or where none of it is logged."""
    codes = run.diagnosis.missing
    wanted: list[tuple[re.Pattern[str], ...]]
    if "reward_loss" in codes:
        wanted = [(_REWARD,), (_KL,), (_LENGTH,)]
    elif "preference_loss" in codes:
        wanted = [(_MARGIN, _REWARD), (_ACCURACY,), (_KL, _LENGTH)]
    else:
        return ()
    charts = [chart for patterns in wanted if (chart := _first_of(run, patterns))]
    losses = () if run.train is None else (run.train, *eval_sets(run)[:1])
    return tuple([*charts, losses] if charts and losses else charts)


def _first_of(run: RunSnapshot, patterns: Sequence[re.Pattern[str]]) -> tuple[int, ...]:
    for pattern in patterns:
        found = [index for index, one in enumerate(run.series) if _matches(one, pattern)]
        if found:
            lead = min(found, key=lambda index: run.series[index].meaning.split is Split.EVAL)
            twin = [index for index in found if _is_twin(run.series[index], run.series[lead])]
            return (lead, *twin[:1])
    return ()


def _matches(one: Series, pattern: re.Pattern[str]) -> bool:
    is_curve = len(one) > 0 and not one.meaning.summary
    return is_curve and any(pattern.search(name.lower()) for name in (one.meaning.key, one.tag))


def _is_twin(one: Series, lead: Series) -> bool:
    """Whether it is the same quantity on eval data."""
    name = one.meaning.key.partition("/")[2]
    is_other = one.meaning.split is Split.EVAL and lead.meaning.split is not Split.EVAL
    return is_other and name == lead.meaning.key.partition("/")[2] and one.axis is lead.axis
