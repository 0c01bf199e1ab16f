"""Studies of hyperparameters: judged by their trials rather than by a curve."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lossmon.types import (
    UNJUDGED,
    Axis,
    Confidence,
    Diagnosis,
    Finding,
    Floats,
    Kind,
    Meaning,
    RunSnapshot,
    RunState,
    Series,
    Severity,
    Split,
)

if TYPE_CHECKING:
    from lossmon.monitor.runs.run_monitor import RunMonitor

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


_BEST = "best "
"""Begins the label of an objective: its values are the best ones of the runs."""


class Sweeps:
    """Adds to the runs of each sweep its study, which is the same object until one run changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[RunSnapshot, ...], RunSnapshot]] = {}
        self._ended: dict[Path, tuple[RunSnapshot, int]] = {}

    def added(self, runs: tuple[RunSnapshot, ...]) -> tuple[RunSnapshot, ...]:
        """Return the runs, the study of each sweep before the first of its runs."""
        sweeps: dict[str, list[RunSnapshot]] = {}
        for run in runs:
            if run.sweep:
                sweeps.setdefault(run.sweep, []).append(run)
        # A lone run may be all that a sweep will ever be.
        studies = {
            trials[0].path: self._study(sweep, tuple(trials))
            for sweep, trials in sweeps.items()
            if len(trials) > 1
        }
        shown: list[RunSnapshot] = []
        for run in runs:
            if run.path in studies:
                shown.append(studies[run.path])
            shown.append(run)
        return tuple(shown) if studies else runs

    def end_trials(self, found: Sequence[RunSnapshot], runs: Mapping[Path, RunMonitor]) -> None:
        """End the runs of trials that their study calls ended; their own files do not say it."""
        for study in found:
            before, count = self._ended.get(study.path, (None, 0))
            if not study.trial_ends or (before is study and count == len(runs)):
                continue
            self._ended[study.path] = study, len(runs)
            for path, run in runs.items():
                if path.parent == study.path:
                    run.set_end(_end_of(path.name, study.trial_ends))

    def _study(self, sweep: str, trials: tuple[RunSnapshot, ...]) -> RunSnapshot:
        before, study = self._known.get(sweep, ((), None))
        same = len(before) == len(trials) and all(map(lambda a, b: a is b, before, trials))
        if study is None or not same:
            study = study_of(sweep, trials)
            self._known[sweep] = trials, study
        return study


def _end_of(name: str, ends: Mapping[str, str]) -> str | None:
    """How the trial ended whose identifier is in the name of its directory, None if it did not."""
    parts = name.split("_")
    ids = (*map("_".join, pairwise(parts)), *parts)
    return next((ends[one] for one in ids if one in ends), None)


def study_of(sweep: str, trials: Sequence[RunSnapshot]) -> RunSnapshot:
    """Describe the runs of one sweep as a study.

    Args:
        trials: Its runs in the order in which they were started.
    """
    objective = _objective(trials)
    failed = sum(run.state is RunState.FAILED for run in trials)
    series = () if objective is None else (objective,)
    finding = study_finding(series, {"trials": len(trials), "failed": failed})
    if objective is not None:
        best = trials[int(finding.facts["trial"]) - 1]
        metric = objective.meaning.label.removeprefix(_BEST)
        facts = {**finding.facts, "metric": metric, "run": best.name}
        finding = replace(finding, facts=facts, variant="sweep")
    going_on = sum(run.state in (RunState.RUNNING, RunState.WAITING) for run in trials)
    times = [run.last_time for run in trials if run.last_time is not None]
    return RunSnapshot(
        name=f"sweep {sweep}",
        path=trials[0].path.parent / f"sweep-{sweep}",
        sources=trials[0].sources,
        state=RunState.RUNNING if going_on else RunState.FINISHED,
        state_reason="" if going_on else "all of its runs have ended",
        step=len(trials),
        last_time=max(times, default=None),
        series=series,
        diagnosis=replace(UNJUDGED, verdict=finding, findings=(finding,), missing=()),
        loaded=min(run.loaded for run in trials),
    )


def _objective(trials: Sequence[RunSnapshot]) -> Series | None:
    """The best values of the runs, None without any.

    Only W&B's server knows what a sweep optimises. What most runs lead with is taken for it.
    """
    leading = [_leading(run) for run in trials]
    keys = Counter(one.meaning.key for one in leading if one is not None)
    if not keys:
        return None
    key, _ = keys.most_common(1)[0]
    results = {
        number: one
        for number, run in enumerate(trials, 1)
        if (one := _result(run, key)) is not None
    }
    first = next(iter(results.values()))
    lower = first.meaning.lower_is_better is not False
    values = [one.minimum if lower else one.maximum for one in results.values()]
    return _series(first, lower, dict(zip(results, values, strict=True)))


def _leading(run: RunSnapshot) -> Series | None:
    """The eval loss of a run, else a metric for which better is known, else its train loss."""
    metrics = [
        one
        for one in run.series
        if one.meaning.kind is Kind.METRIC and one.meaning.lower_is_better is not None
    ]
    metrics.sort(key=lambda one: one.meaning.split is not Split.EVAL)
    found = (run.eval_loss, *metrics[:1], run.train_loss)
    return next((one for one in found if one is not None and _has_best(one)), None)


def _result(run: RunSnapshot, key: str) -> Series | None:
    return next((one for one in run.series if one.meaning.key == key and _has_best(one)), None)


def _has_best(series: Series) -> bool:
    return math.isfinite(series.minimum)


def _series(first: Series, lower: bool, results: Mapping[int, float]) -> Series:
    """The results of the trials as an objective, by the number of the trial from 1."""
    steps, values = np.array(list(results)), np.array(list(results.values()))
    label = f"{_BEST}{first.meaning.label}"
    meaning = Meaning(
        f"study/{first.meaning.key}", label, Split.EVAL, Kind.METRIC, lower_is_better=lower
    )
    tag, no_times = f"{first.tag}/{DIRECTIONS[not lower]}", np.full(len(steps), np.nan)
    return Series.of_points(tag, meaning, first.source, steps, values, no_times, Axis.TRIAL)
