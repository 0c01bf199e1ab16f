"""State, pace and remaining time of a run, from its times and steps."""

from __future__ import annotations

import math

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.quantiles import median
from lossmon.types import Axis, Facts, RunSnapshot, RunState, Series

RATE_POINTS = 64
"""Newest points that the rate is computed from: enough for a steady median, few enough that a
change of pace shows within a minute or two."""

STALL_FACTOR = 10.0
"""Silence, in usual intervals between points, after which a run counts as stalled. An eval or a
checkpoint takes a few intervals; ten are well beyond."""

STALL_FLOOR = 120.0
"""Seconds of silence that are never a stall: evals, checkpoints and compilers take a minute."""

ENDED_AFTER = 3600.0
"""Seconds of silence after which a run of unknown length counts as ended."""

UNKNOWN_INTERVAL = 60.0
"""Seconds assumed between points while fewer than three have a time."""


@dataclass(frozen=True, slots=True)
class StepRate:
    """How fast points are logged.

    Attributes:
        steps_per_second: None where the times are unknown.
        interval: Usual seconds between two points.
    """

    steps_per_second: float | None = None
    interval: float = UNKNOWN_INTERVAL


def stride(series: Series | None) -> int:
    """Usual steps between two of the newest points, at least 1."""
    if series is None or len(series) < 2:
        return 1
    gaps = np.diff(series.steps[-RATE_POINTS:])
    return max(1, int(median(gaps.astype(np.float64))))


def step_rate(series: Series | None) -> StepRate:
    """Median rate of the newest points, which evals and pauses do not change."""
    if series is None or len(series) < 3:
        return StepRate()
    count = RATE_POINTS
    while count < len(series) and series.wall_times[-1] == series.wall_times[-count]:
        # Points that were read at once have one time: those before them tell the rate.
        count *= 4
    steps = series.steps[-count:].astype(np.float64)
    walls = series.wall_times[-count:]
    timed = np.isfinite(walls)
    steps, walls = steps[timed], walls[timed]
    if len(steps) < 3 or walls[-1] <= walls[0] or steps[-1] <= steps[0]:
        return StepRate()
    gaps, advances = np.diff(walls), np.diff(steps)
    forward = (advances > 0) & (gaps >= 0)
    if not forward.any():
        return StepRate()
    per_step = median(gaps[forward] / advances[forward])
    if per_step <= 0:
        # Points that arrive in bursts: the median gap inside a burst is 0.
        per_step = float(gaps[forward].sum() / advances[forward].sum())
    if per_step <= 0:
        return StepRate()
    return StepRate(1.0 / per_step, max(median(gaps[forward]), per_step))


def steps_per_epoch(run: RunSnapshot, series: Series) -> float:
    """Divisor that turns the steps of a series into epochs; 1 where unknown or already epochs."""
    if series.axis is Axis.EPOCH or not run.epoch or not run.step:
        return 1.0
    ratio = run.step / run.epoch
    if not 0 < ratio < math.inf:
        return 1.0
    # Logs round the epoch; a ratio that changes slightly would move the whole curve every time.
    return float(round(ratio)) if ratio >= 100 else float(f"{ratio:.2g}")


@dataclass(frozen=True, slots=True)
class RunVitals:
    """Facts and times by which the state of a run is judged.

    Attributes:
        facts: Facts that its sources state.
        step: Newest step, None before the first.
        total_steps: Planned steps on the same axis, or None.
        stride: Usual steps between points, or between the writes of a rarely written file.
        interval: Usual seconds between points.
        last_activity: Seconds since the Unix epoch of the last sign of life, None before any.
        superseded: A later training was begun in its directory.
        first: Step that is counted first: 0 where epochs are counted from 0, else 1.
    """

    facts: Facts
    step: int | None
    total_steps: int | None
    stride: int
    interval: float
    last_activity: float | None
    superseded: bool = False
    first: int = 1


def state(vital: RunVitals, now: float) -> tuple[RunState, str]:
    """Judge what a run is doing.

    Returns:
        The state, and the reason in a few words.
    """
    facts = vital.facts
    if facts.finished:
        return RunState.FINISHED, facts.ending or "according to the log"
    if facts.failure:
        return RunState.FAILED, facts.failure
    if vital.step is None:
        return RunState.WAITING, "nothing logged yet"
    if vital.total_steps and vital.step > vital.total_steps - 2 + vital.first:
        return RunState.FINISHED, "the last step was reached"
    if vital.last_activity is None:
        return RunState.RUNNING, ""
    silence = now - vital.last_activity
    if silence <= max(STALL_FLOOR, STALL_FACTOR * vital.interval):
        return RunState.RUNNING, ""
    if vital.total_steps and vital.total_steps - vital.step <= vital.stride:
        # Steps counted from 0, or fewer steps left than the interval of logging or saving.
        return RunState.FINISHED, "no point is missing"
    if vital.total_steps is None and silence > max(ENDED_AFTER, 3 * STALL_FACTOR * vital.interval):
        return RunState.FINISHED, "no new data for a long time, total unknown"
    if vital.total_steps is None and vital.superseded:
        return RunState.FINISHED, "a later training began in its directory"
    return RunState.STALLED, "no new data for a long time"


def remaining(vital: RunVitals, rate: StepRate) -> float | None:
    """Seconds to the end: by the measured rate, else as the framework estimates them."""
    if vital.step is not None and vital.total_steps and rate.steps_per_second:
        left = max(0, vital.total_steps - vital.step)
        return left / rate.steps_per_second
    estimate = vital.facts.remaining
    return estimate if estimate is not None and math.isfinite(estimate) else None


def merged_facts(facts: list[Facts]) -> Facts:
    """Merge facts of several sources; for each fact, the first source that states it counts."""

    def first(name: str) -> object:
        return next((v for f in facts if (v := getattr(f, name)) is not None), None)

    settings: dict[str, str] = {}
    for fact in reversed(facts):
        settings.update(fact.settings)
    return Facts(
        name=_text(first("name")),
        step=_whole(first("step")),
        save_interval=_whole(first("save_interval")),
        total_steps=_whole(first("total_steps")),
        total_epochs=_number(first("total_epochs")),
        remaining=_number(first("remaining")),
        finished=any(fact.finished for fact in facts) or None,
        failure=next((fact.failure for fact in facts if fact.failure), None),
        ending=_text(first("ending")),
        started=_number(first("started")),
        trials=next((fact.trials for fact in facts if fact.trials), None),
        trial_ends=next((fact.trial_ends for fact in facts if fact.trial_ends), None),
        sweep=_text(first("sweep")),
        best_step=_whole(first("best_step")),
        best_checkpoint=_text(first("best_checkpoint")),
        settings=settings,
    )


def updated_facts(old: Facts, new: Facts) -> Facts:
    """Facts of one source after it stated further ones."""
    kept = {
        name: value if (value := getattr(new, name)) is not None else getattr(old, name)
        for name in Facts.__dataclass_fields__
        if name != "settings"
    }
    return Facts(**kept, settings={**old.settings, **new.settings})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
