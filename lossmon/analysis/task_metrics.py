"""Task metrics beside the loss: their standing, and whether they agree with it."""

from __future__ import annotations

import math

from lossmon.fast_dataclass import dataclass
from lossmon.types import Kind, RunSnapshot, Series

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
