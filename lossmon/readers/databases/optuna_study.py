"""Studies of Optuna and their trials, whether a database or a journal holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number
from lossmon.types import Axis, Facts


class LoggedValue(NamedTuple):
    """A value that a trial reported or ended with, in the order of `PointsBuilder.add`."""

    tag: str
    step: int
    wall_time: float
    value: float
    axis: Axis = Axis.STEP


QUIET = 2.0
"""Seconds without a running trial after which a study has ended: the sampler takes time between two
trials, though seldom as long."""

MAXIMIZE = "maximize"
MINIMIZE = "minimize"


def reported_tag(direction: str) -> str:
    """Return the tag of the intermediate values of a trial.

    They are measured on held-out data. A minimised one is like a loss, a maximised one is a score.
    """
    return "eval/score" if direction == MAXIMIZE else "eval/objective"


def value_tag(directions: Sequence[str], objective: int) -> str:
    """Return the tag of the final values of the trials: a metric, not the curve of a loss."""
    which = f"objective_{objective}" if len(directions) > 1 else "objective"
    return f"{which}/{directions[objective]}"


def trial_value(
    directions: Sequence[str], objective: int, trial: int, value: float, when: float
) -> LoggedValue:
    """Return the final value of a trial as a point of its study; `when` is in Unix seconds."""
    return LoggedValue(value_tag(directions, objective), trial, when, value, Axis.TRIAL)


def trial_name(study: str, trial: int, alone: bool) -> str:
    """Return the name of a trial, with its study unless that is the only one."""
    return f"trial {trial}" if alone else f"{study}/trial {trial}"


def ended(state: str) -> Facts:
    """Return whether a trial has ended, and how, from its state in Optuna."""
    return Facts(
        finished=state in ("COMPLETE", "PRUNED"),
        failure="the trial failed" if state == "FAIL" else "",
        ending="pruned" if state == "PRUNED" else "",
    )


def quiet_from(trials: Iterable[tuple[str, float]]) -> float | None:
    """Return when a study is considered ended, in seconds since the Unix epoch.

    Args:
        trials: States, each with the newest end of a trial in it, NaN if there is none.

    Returns:
        None while a trial runs or waits, and before any has ended.
    """
    newest = -math.inf
    for state, end in trials:
        if state in ("RUNNING", "WAITING"):
            return None
        newest = max(newest, end if math.isfinite(end) else -math.inf)
    return newest + QUIET if math.isfinite(newest) else None


def trial_counts(states: Mapping[str, int]) -> dict[str, int]:
    """Return how the trials of a study ended, from their number by state in Optuna."""
    return {
        "trials": sum(states.values()),
        "pruned": states.get("PRUNED", 0),
        "failed": states.get("FAIL", 0),
    }


def setting(value: object, distribution: object) -> str:
    """Return a parameter as text; of several choices, the chosen one."""
    plain = number(value)
    try:
        known = json.loads(str(distribution))
        if known["name"] == "CategoricalDistribution" and plain is not None:
            return clean_name(str(known["attributes"]["choices"][int(plain)]))
        if known["name"] == "IntDistribution" and plain is not None and math.isfinite(plain):
            return str(int(plain))
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        pass
    return clean_name(str(value))
