"""Derived values of a run: progress, epoch, best eval, losses that were masked, a stall."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lossmon.lazy_pattern import lazy_pattern
from lossmon.monitor.runs.files import RunFiles
from lossmon.monitor.runs.run_state import RunVitals, StepRate, step_rate, stride
from lossmon.readers.registry import directories
from lossmon.store.merge import extremes
from lossmon.types import (
    Axis,
    Best,
    Confidence,
    Diagnosis,
    Facts,
    Finding,
    Ints,
    Kind,
    Series,
    Severity,
)

_RANDOM = lazy_pattern(r"[0-9a-f]{32}$")

_DATED = lazy_pattern(r"-(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)\d\d-([\w-]+)$", re.ASCII)


def is_numbered(path: Path) -> bool:
    """Whether a tracker named a directory: by the time, a number or random characters."""
    return bool(_RANDOM.match(path.name) or directories().run.match(path.name))


def own_label(path: Path) -> str:
    """The date and id in the name of a directory, else the end of the name."""
    dated = _DATED.search(path.name)
    if dated is None:
        return path.name[-8:]
    year, month, day, hour, minute, id = dated.groups()
    return f"{year}-{month}-{day} {hour}:{minute} {id}"


def leading_series(series: Sequence[Series], train: int | None) -> Series | None:
    """The series by which progress is measured: the headline train loss, else the longest."""
    return max(series, key=lambda one: one.n, default=None) if train is None else series[train]


def vitals_of(
    facts: Facts, lead: Series | None, series: Sequence[Series], files: RunFiles
) -> tuple[RunVitals, StepRate]:
    """Collect what the state of a run is judged by, and its pace."""
    on_axis = [one for one in series if lead is None or one.axis is lead.axis]
    step = max((one.last_step for one in on_axis), default=None)
    if facts.step is not None and (lead is None or lead.axis is Axis.STEP):
        step = max(facts.step, -1 if step is None else step)
    total = facts.total_steps or _total_by_epochs(facts, series)
    if lead is not None and lead.axis is not Axis.STEP:
        epochs = facts.total_epochs if lead.axis is Axis.EPOCH else None
        total = round(epochs) if epochs else None
    if total is not None and step is not None and total < step:
        # A total that was passed means something else: an epoch, or an earlier run.
        total = None
    rate = step_rate(lead)
    walls = [float(one.wall_times[-1]) for one in series if len(one.wall_times)]
    newest = max((wall for wall in walls if np.isfinite(wall)), default=float("nan"))
    last = files.last_activity(newest)
    paced = max(stride(lead), files.save_interval)
    first = 0 if lead is not None and _is_table_from_zero(lead) else 1
    return RunVitals(facts, step, total, paced, rate.interval, last, first=first), rate


def _is_table_from_zero(lead: Series) -> bool:
    """Whether it has one row per epoch, which is written at its end, and counts them from 0."""
    is_table = lead.axis is Axis.EPOCH and lead.source != "text"
    return is_table and bool(lead.n) and lead.first_step == 0


def _total_by_epochs(facts: Facts, series: Sequence[Series]) -> int | None:
    """Planned steps by the fraction of an epoch that a step is; None where that is unknown."""
    for one in series:
        if one.meaning.key != "epoch" or one.axis is not Axis.STEP or not facts.total_epochs:
            continue
        # Whole epochs may be counted from 0, and a text log rounds the fraction.
        fraction = one.last_step / one.last if one.last > 0 and one.source != "text" else 0.0
        if fraction and np.isfinite(fraction) and (one.values % 1 > 0).any():
            return round(fraction * facts.total_epochs)
    return None


def epoch_of(series: Sequence[Series], lead: Series | None) -> float | None:
    """Newest epoch, None where none is logged."""
    for one in series:
        if one.meaning.key == "epoch" and np.isfinite(one.last):
            return one.last
    if lead is not None and lead.axis is Axis.EPOCH:
        return float(lead.last_step)
    return None


def with_stall(diagnosis: Diagnosis, step: int) -> Diagnosis:
    """Add the finding that the run stopped logging after `step`."""
    stalled = Finding("stalled", Severity.WARNING, step, Confidence.MEDIUM, {"step": step})
    findings = tuple(sorted((stalled, *diagnosis.findings), key=lambda finding: -finding.severity))
    verdict = stalled if diagnosis.verdict.severity < Severity.WARNING else diagnosis.verdict
    return replace(diagnosis, verdict=verdict, findings=findings)


def best_eval(
    evals: Series, checkpoints: Sequence[tuple[int, str]], step: int | None = None
) -> Best | None:
    """The best eval and its checkpoint; None where no eval loss is finite.

    Args:
        checkpoints: Steps and names of the checkpoints on disk.
        step: What the framework calls the best step, by a metric that may be another one. Where
            it is unknown or has no eval loss, the lowest one is the best.
    """
    best, loss = evals.min_step, evals.minimum
    named = evals.values[evals.steps == (-1 if step is None else step)]
    if step is not None and np.isfinite(named).any():
        best, loss = step, float(named[np.isfinite(named)][-1])
    if not np.isfinite(loss):
        return None
    # The newest checkpoint since the eval before the best one, up to the best.
    earlier = evals.steps[evals.steps < best]
    after = int(earlier[-1]) if len(earlier) else -1
    fitting = [saved for saved in checkpoints if after < saved[0] <= best]
    return Best(best, loss, max(fitting)[1] if fitting else None)


def unmasked(
    series: Sequence[Series], train: int | None, evaluated: int | None
) -> tuple[Series, ...]:
    """Put NaN back where the headline losses were printed as 0.0 in its place.

    The HF Trainer prints a NaN loss as 0.0 by default. With a gradient norm that is not finite at
    the same step a 0.0 has no innocent reading, and from the first one on that of an eval has
    none either. The charts, the minimum and the best eval then leave these points out.

    Args:
        series: All series of a run.
        train: Index of the headline train loss, or None.
        evaluated: Index of the headline eval loss, or None.

    Returns:
        The series; the very same objects where nothing was masked.
    """
    found = list(series)
    if train is None:
        return tuple(found)
    lead = series[train]
    hidden = np.zeros(len(lead), np.bool_)
    for one in series:
        if one.meaning.kind is Kind.GRAD_NORM and one.axis is lead.axis and one.n_nonfinite:
            hidden |= _among(lead.steps, one.steps[~np.isfinite(one.values)])
    hidden &= lead.values == 0.0
    if not hidden.any():
        return tuple(found)
    found[train] = _without(lead, hidden)
    if evaluated is not None and series[evaluated].axis is lead.axis:
        evals = series[evaluated]
        first = lead.steps[hidden.argmax()]
        found[evaluated] = _without(evals, (evals.values == 0.0) & (evals.steps >= first))
    return tuple(found)


def _among(steps: Ints, others: Ints) -> NDArray[np.bool_]:
    """Which steps are among others, both not decreasing."""
    if not len(others):
        return np.zeros(len(steps), np.bool_)
    places = np.minimum(np.searchsorted(others, steps), len(others) - 1)
    return np.asarray(others[places] == steps)


def _without(series: Series, hidden: NDArray[np.bool_]) -> Series:
    """The series with NaN in some places, and the statistics of the rest."""
    if not hidden.any():
        return series
    values = np.where(hidden, np.nan, series.values)
    found = extremes(values, series.steps)
    return replace(
        series,
        values=values,
        n_nonfinite=series.n_nonfinite + int(hidden.sum()),
        last=float(values[-1]),
        minimum=found.minimum,
        min_step=found.min_step,
        maximum=found.maximum,
        max_step=found.max_step,
    )
