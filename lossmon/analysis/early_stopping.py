"""Early stopping: what it saves, or why to wait; the standing of task metrics."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.quantiles import median
from lossmon.types import Axis, Finding, Floats, Kind, RunSnapshot, Series, Severity

FEWEST = 5
"""Values below which loss and metric can neither agree nor disagree: fewer are chance."""

MOST = 3
"""Metrics that are reported: the first ones are those that the run leads with."""


@dataclass(frozen=True, slots=True)
class MetricStanding:
    """Standing of a task metric.

    Attributes:
        series: The metric.
        best: Its best value.
        step: Where that was.
        agrees: Whether it moves in the same direction as the eval loss; None where it is unknown.
    """

    series: Series
    best: float
    step: int
    agrees: bool | None


def metrics(run: RunSnapshot) -> list[Series]:
    """Task metrics for which better is known, those of the eval data first."""
    judged = [
        one
        for one in run.series
        if one.meaning.kind is Kind.METRIC
        and one.meaning.lower_is_better is not None
        and not one.meaning.summary
        and not one.meaning.secondary
        and one.n > 1
        and math.isfinite(one.minimum)
    ]
    return sorted(judged, key=lambda one: (one.meaning.split.value != "eval", one.meaning.part))


def extreme(series: Series) -> tuple[float, int, bool]:
    """Best value of a metric, its step, and whether up is better."""
    if series.meaning.lower_is_better:
        return series.minimum, series.min_step, False
    return series.maximum, series.max_step, True


def standings(run: RunSnapshot) -> list[MetricStanding]:
    """Every metric worth a line, the most important first."""
    apart = {
        finding.facts.get("metric")
        for finding in run.diagnosis.findings
        if finding.code == "metric_disagreement"
    }
    found = []
    for series in metrics(run)[:MOST]:
        best, step, _ = extreme(series)
        agrees: bool | None = series.meaning.key not in apart
        if agrees and (run.eval_loss is None or min(series.n, run.eval_loss.n) < FEWEST):
            agrees = None
        found.append(MetricStanding(series, best, step, agrees))
    return found


LEAST_SHARE = 0.02
"""Share of the run below which stopping saves too little to report."""

RECENT = 3
"""Newest evals among which the best of a metric must be for it to count as still improving."""

METRIC_MOVED = 0.01
"""Relative gain of a metric since the onset that is more than chance."""

CAME_BACK = 0.4
"""Share of its rise that the eval loss must have lost again to count as coming back."""

RATE_LEFT = 0.05
"""Share of the peak learning rate above which a continuing decay may still lower the loss."""

LEVEL_POINTS = 16
"""Newest train points whose median is the present level."""


class WaitFor(StrEnum):
    """What may still improve."""

    METRIC = "metric"
    EVAL = "eval"
    RATE = "rate"
    TRAIN = "train"


@dataclass(frozen=True, slots=True)
class EarlyStopSaving:
    """What an early stop saves, or would have saved.

    Attributes:
        steps: Steps, or epochs where the run is counted in them.
        seconds: The same at the measured pace, None where that is unknown.
        axis: What `steps` counts.
        seen: For a run that has ended, the step at which the verdict was shown; else None.
    """

    steps: int
    seconds: float | None
    axis: Axis
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class WaitReason:
    """Why not to stop yet.

    Attributes:
        what: What may still get better.
        name: Label of the metric that still improves, or empty.
        value: Its newest value, or where the train loss is expected to end; 0 otherwise.
    """

    what: WaitFor
    name: str = ""
    value: float = 0.0


def early_stop(run: RunSnapshot) -> EarlyStopSaving | WaitReason | None:
    """What an early stop saves, or why to wait; None where the verdict does not suggest one."""
    verdict = run.diagnosis.verdict
    if not _is_reason(verdict):
        return None
    reason = _wait_reason(run, verdict)
    if run.state.is_over:
        return _missed(run, verdict) if reason is None else None
    saving = _ahead(run)
    return reason if saving is not None and reason is not None else saving


def _is_reason(verdict: Finding) -> bool:
    """Only what is confirmed: a suspicion, or a rise that may still turn, asks for patience."""
    if verdict.code == "converged":
        return True
    if verdict.code == "overfitting":
        return verdict.severity >= Severity.WARNING and not verdict.variant
    return verdict.code == "diverging" and verdict.severity is Severity.CRITICAL


def _axis(run: RunSnapshot) -> Axis:
    lead = run.train_loss or run.eval_loss
    return Axis.STEP if lead is None else lead.axis


def _ahead(run: RunSnapshot) -> EarlyStopSaving | None:
    if run.step is None or not run.total_steps:
        return None
    return _saving(run, run.total_steps - run.step, run.total_steps)


def _missed(run: RunSnapshot, verdict: Finding) -> EarlyStopSaving | None:
    """What a stop would have saved at the moment at which the verdict came to stay."""
    turns = run.diagnosis.curve_history
    if run.step is None or not turns or turns[-1].code != verdict.code:
        return None
    seen = turns[-1].step
    if turns[-1].severity < verdict.severity:
        return None
    if verdict.code == "converged" and (run.best is None or run.best.step > seen):
        # The last decay of the learning rate was worth its steps, or may have been.
        return None
    return _saving(run, run.step - seen, run.step, seen)


def _saving(
    run: RunSnapshot, steps: int, whole: int, seen: int | None = None
) -> EarlyStopSaving | None:
    if steps <= 0 or steps < LEAST_SHARE * whole:
        return None
    pace = run.steps_per_second
    return EarlyStopSaving(steps, steps / pace if pace else None, _axis(run), seen)


def _wait_reason(run: RunSnapshot, verdict: Finding) -> WaitReason | None:
    if verdict.code == "diverging":
        return None
    metric = improving_metric(run, verdict.since_step)
    if metric is not None:
        return WaitReason(WaitFor.METRIC, metric.meaning.label, metric.last)
    if verdict.code == "overfitting":
        evals = run.eval_loss
        return WaitReason(WaitFor.EVAL) if evals is not None and _comes_back(evals) else None
    if _rate_decays(run):
        return WaitReason(WaitFor.RATE)
    forecast, train = run.diagnosis.forecast, run.train_loss
    if forecast is not None and train is not None and forecast.high < _level(train.values):
        return WaitReason(WaitFor.TRAIN, value=forecast.final_loss)
    return None


def improving_metric(run: RunSnapshot, since: int) -> Series | None:
    """The first task metric whose best is among its newest values and came after a step."""
    for series in metrics(run):
        _, step, up = extreme(series)
        known = series.steps[np.isfinite(series.values)]
        if len(known) <= RECENT or step <= since or step < known[-RECENT]:
            continue
        at = max(0, int(np.searchsorted(series.steps, since, side="right")) - 1)
        before = float(series.values[at])
        gain = series.last - before if up else before - series.last
        if gain > METRIC_MOVED * max(abs(before), abs(series.last)):
            return series
    return None


def _comes_back(evals: Series) -> bool:
    after = evals.values[(evals.steps >= evals.min_step) & np.isfinite(evals.values)]
    if len(after) < 2 * RECENT:
        return False
    peak, now = float(after.max()), median(after[-RECENT:])
    return now < peak - CAME_BACK * (peak - evals.minimum)


def _rate_decays(run: RunSnapshot) -> bool:
    rate = next((one for one in run.series if one.meaning.key == "learning_rate"), None)
    if rate is None or len(rate) < RECENT:
        return False
    newest = rate.values[-max(RECENT, len(rate) // 10) :]
    return bool(newest[-1] < 0.999 * newest[0] and newest[-1] > RATE_LEFT * rate.maximum)


def _level(values: Floats) -> float:
    newest = values[-LEVEL_POINTS:]
    newest = newest[np.isfinite(newest)]
    return median(newest) if len(newest) else -np.inf
