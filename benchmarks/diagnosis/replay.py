"""A recorded run, fed to the engine as the monitor would."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from benchmarks.diagnosis.runs import EVAL, MEANINGS, TRAIN, Run
from lossmon.diagnosis.engine import Engine
from lossmon.types import Diagnosis, Kind


def diagnose(run: Run, sensitivity: float = 1.0) -> Diagnosis:
    """What the engine says at the end of the run; its history is what it said on the way."""
    return replay(run, sensitivity).diagnosis(ended=True)


def replay(run: Run, sensitivity: float = 1.0) -> Engine:
    """The engine after the whole run."""
    engine = Engine(sensitivity)
    numbers = np.full(len(MEANINGS), -1)
    logged = np.unique(run.series).tolist()
    losses = [which for which in logged if MEANINGS[which].kind is Kind.LOSS]
    heads = {TRAIN, EVAL} if TRAIN in logged else {EVAL, *losses[:1]}
    for which in np.unique(run.series):
        numbers[which] = engine.channel(MEANINGS[which], headline=which in heads)
    channels = numbers[run.series]
    for start, end in _stretches(run):
        if start:
            engine.restart(int(run.steps[start]))
        part = slice(start, end)
        engine.feed(channels[part], run.steps[part], run.values[part])
    return engine


END_SHARE = 0.05
"""Share of a run's train points whose mean is the level it ended at."""


def forecast_at(run: Run, share: float) -> bool | None:
    """Whether the forecast made after a share of the run holds its end; None if none was made."""
    steps, values = run.curve(TRAIN)
    if len(steps) < 2 or not np.all(np.isfinite(values)) or np.any(np.diff(steps) < 0):
        return None
    later = np.flatnonzero(run.steps > steps[0] + share * (steps[-1] - steps[0]))
    part = slice(0, int(later[0]) if len(later) else len(run.steps))
    seen = dataclasses.replace(
        run, series=run.series[part], steps=run.steps[part], values=run.values[part]
    )
    engine = replay(seen)
    engine.plan(int(steps[-1]))
    told = engine.diagnosis().forecast
    if told is None:
        return None
    end = float(np.mean(values[-max(1, int(END_SHARE * len(values))) :]))
    return told.low <= end <= told.high


def _stretches(run: Run) -> Iterator[tuple[int, int]]:
    """Places between which the steps of the train loss do not go back."""
    start, newest = 0, -1
    for at, (which, step) in enumerate(zip(run.series.tolist(), run.steps.tolist(), strict=True)):
        if which != TRAIN and step > newest - 1:
            continue
        if step < newest:
            first = at
            while first > start and run.steps[first - 1] == step:
                first -= 1
            yield start, first
            start, newest = first, step
        newest = max(newest, step) if which == TRAIN else newest
    yield start, len(run.series)
