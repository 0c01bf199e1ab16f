"""Study of hyperparameters: judged by its trials rather than by a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lossmon.types import (
    Axis,
    Confidence,
    Diagnosis,
    Finding,
    Floats,
    Kind,
    Series,
    Severity,
    Split,
)

DIRECTIONS = ("minimize", "maximize")
"""Last part of the tag of an objective: where lower is better, and where higher is."""


def with_study(
    diagnosis: Diagnosis,
    series: Sequence[Series],
    counts: Mapping[str, int] | None,
    best_trial: int | None = None,
) -> Diagnosis:
    """Judge a run of trials as the study that it is; any other run as before.

    Args:
        diagnosis: Of the run as a training.
        series: Its series.
        counts: Its trials, see `Facts.trials`.
        best_trial: The one that the framework calls best, see `Facts.best_step`.
    """
    objectives = [
        one for one in series if one.axis is Axis.TRIAL and one.tag.endswith(DIRECTIONS) and one.n
    ]
    if not objectives or any(_is_curve(one, objectives[0]) for one in series):
        return diagnosis
    finding = study_finding(objectives, counts or {}, best_trial)
    return replace(diagnosis, verdict=finding, findings=(finding,), missing=(), forecast=None)


def _is_curve(series: Series, objective: Series) -> bool:
    """Whether a series is the train loss of a training whose log a study merely stands in, too."""
    what = series.meaning
    is_loss = what.kind is Kind.LOSS and what.split is Split.TRAIN and series.n > 1
    return is_loss and series.axis is not Axis.TRIAL and series.source != objective.source


def study_finding(
    objectives: Sequence[Series], counts: Mapping[str, int], best_trial: int | None = None
) -> Finding:
    """Sum a study up.

    Args:
        objectives: One series per objective, its tag ending with one of `DIRECTIONS`.
        counts: Its trials, see `Facts.trials`.
        best_trial: The one that the framework calls best.
    """
    facts: dict[str, float | int | str] = {
        "trials": max(counts.get("trials", 0), *(one.n for one in objectives), 0),
        "pruned": counts.get("pruned", 0),
        "failed": counts.get("failed", 0),
    }
    if len(objectives) > 1:
        facts |= {"objectives": len(objectives), "front": pareto_front(objectives)}
        return Finding("study", Severity.OK, 0, Confidence.HIGH, facts, "pareto")
    best, at = _best(objectives[0], best_trial) if objectives else (np.nan, 0)
    if not np.isfinite(best):
        return Finding("study", Severity.OK, 0, Confidence.HIGH, facts, "without_result")
    one = objectives[0]
    facts |= {"best": best, "trial": at, "since": int((one.steps > at).sum())}
    return Finding("study", Severity.OK, at, Confidence.HIGH, facts)


def _best(objective: Series, best_trial: int | None) -> tuple[float, int]:
    """Best value of an objective and its trial."""
    if best_trial is not None and (at := np.flatnonzero(objective.steps == best_trial)).size:
        return float(objective.values[at[-1]]), best_trial
    if objective.tag.endswith("maximize"):
        return objective.maximum, objective.max_step
    return objective.minimum, objective.min_step


def pareto_front(objectives: Sequence[Series]) -> int:
    """Count the trials that no other trial beats in one objective without losing in another."""
    common = set.intersection(*(set(one.steps.tolist()) for one in objectives))
    rows: list[Floats] = []
    for one in objectives:
        by_trial = dict(zip(one.steps.tolist(), one.values.tolist(), strict=True))
        values = np.array([by_trial[trial] for trial in sorted(common)])
        rows.append(-values if one.tag.endswith("maximize") else values)
    losses = np.stack(rows, axis=1)
    losses = losses[np.isfinite(losses).all(axis=1)]
    # Memory grows with the number of trials only: a study may have thousands.
    return sum(
        not ((losses <= own).all(axis=1) & (losses < own).any(axis=1)).any() for own in losses
    )
