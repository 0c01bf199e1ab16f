"""In which order runs stand: who needs attention first, or by a number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from lossmon.types import RunSnapshot, RunState, Severity
from lossmon.ui.fleet import fields

DAY = 86_400.0
"""Seconds after which a silent run is in the past and no longer needs attention."""


class Key(StrEnum):
    """What runs are sorted by."""

    ATTENTION = "attention"
    NAME = "name"
    STEP = "step"
    TRAIN = "train"
    EVAL = "eval"
    BEST = "best"
    SPEED = "speed"
    AGE = "updated"


DESCENDING = frozenset({Key.STEP, Key.SPEED})
"""Keys that sort with the largest first, until reversed."""

Place: TypeAlias = tuple[int | str, ...]


def attention(run: RunSnapshot, now: float) -> int:
    """How urgent it is to look at a run, most urgent 0.

    What is broken or hangs comes first, then what is still at work by its verdict, then what is
    over: nothing can be saved there any more. The bad news of a critical verdict and of a failure
    stay in front for a day.
    """
    severity = run.diagnosis.verdict.severity
    past = _is_past(run, now)
    if severity is Severity.CRITICAL and not past:
        return 0
    if run.state in (RunState.FAILED, RunState.STALLED) and not past:
        return 1
    over = run.state is RunState.FINISHED or past
    if severity >= Severity.NOTICE:
        return 5 if over else {Severity.WARNING: 2, Severity.NOTICE: 3}[severity]
    return 6 if over else 4


def needs_attention(run: RunSnapshot, now: float) -> bool:
    """Whether a run is counted as one to look at."""
    return attention(run, now) <= 2


def _is_past(run: RunSnapshot, now: float) -> bool:
    silence = fields.age(run, now)
    return run.state is not RunState.RUNNING and silence is not None and silence > DAY


def natural(name: str) -> Place:
    """A name as people sort it: `lr2` before `lr10`, in any case of the letters."""
    parts = re.split(r"([0-9]+)", name.casefold())
    # Text and numbers alternate, so that a number is never compared with text.
    return tuple(int(part[:18]) if at % 2 else part for at, part in enumerate(parts))


def arranged(runs: Sequence[RunSnapshot], key: Key, turned: bool, now: float) -> list[RunSnapshot]:
    """Return the runs in order; what has no value stands last either way.

    Equals stand by name, so that the order is always the same for the same runs.

    Args:
        runs: In any order.
        turned: The other way round than usual.
        now: Seconds since the Unix epoch.
    """
    named = sorted(runs, key=lambda run: (natural(run.name), str(run.path)))
    if key is Key.NAME:
        return named[::-1] if turned else named
    if key is Key.ATTENTION:
        urgent = {id(run): _urgency(run, now) for run in named}
        return sorted(named, key=lambda run: urgent[id(run)], reverse=turned)
    read = _values(now)[key]
    known = [(value, run) for run in named if (value := read(run)) is not None]
    finite = [(value, run) for value, run in known if not math.isnan(value)]
    down = (key in DESCENDING) is not turned
    finite.sort(key=lambda pair: -pair[0] if down else pair[0])
    placed = [run for _, run in finite]
    kept = set(map(id, placed))
    broken = {id(run) for value, run in known if math.isnan(value)}
    placed += [run for run in named if id(run) in broken]
    return placed + [run for run in named if id(run) not in kept and id(run) not in broken]


def _urgency(run: RunSnapshot, now: float) -> tuple[int, int]:
    return attention(run, now), -run.diagnosis.verdict.severity


def _values(now: float) -> dict[Key, Callable[[RunSnapshot], float | None]]:
    return {
        Key.STEP: lambda run: run.step,
        Key.TRAIN: lambda run: fields.newest(run.train_loss),
        Key.EVAL: lambda run: fields.newest(run.eval_loss),
        Key.BEST: fields.best,
        Key.SPEED: fields.speed,
        Key.AGE: partial(fields.age, now=now),
    }
