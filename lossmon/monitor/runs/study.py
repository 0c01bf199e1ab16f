"""Study of hyperparameters: judged by its trials rather than by a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lossmon.types import Axis, Confidence, Diagnosis, Finding, Floats, Series, Severity

DIRECTIONS = ("minimize", "maximize")
"""Last parts of the tags of objectives."""


def with_study(
    diagnosis: Diagnosis, series: Sequence[Series], counts: Mapping[str, int] | None
) -> Diagnosis:
    """Judge a run of trials as the study that it is; any other run as before.

    Args:
        diagnosis: Of the run as a training.
        series: Its series.
        counts: Its trials, see `Facts.trials`.
    """
    objectives = [
        one for one in series if one.axis is Axis.TRIAL and one.tag.endswith(DIRECTIONS) and one.n
    ]
    if not objectives:
        return diagnosis
    finding = _finding(objectives, counts or {})
    return replace(diagnosis, verdict=finding, findings=(finding,), missing=(), forecast=None)


def _finding(objectives: Sequence[Series], counts: Mapping[str, int]) -> Finding:
    facts: dict[str, float | int | str] = {
        "trials": max(counts.get("trials", 0), *(one.n for one in objectives)),
        "pruned": counts.get("pruned", 0),
        "failed": counts.get("failed", 0),
    }
    if len(objectives) > 1:
        facts |= {"objectives": len(objectives), "front": pareto_front(objectives)}
        return Finding("study", Severity.OK, 0, Confidence.HIGH, facts, "pareto")
    (one,) = objectives
    is_highest = one.tag.endswith("maximize")
    best, at = (one.maximum, one.max_step) if is_highest else (one.minimum, one.min_step)
    if not np.isfinite(best):
        return Finding("study", Severity.OK, 0, Confidence.HIGH, facts, "without_result")
    facts |= {"best": best, "trial": at, "since": int((one.steps > at).sum())}
    return Finding("study", Severity.OK, at, Confidence.HIGH, facts)


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
