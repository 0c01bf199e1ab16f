"""What a study of Optuna and its trials mean, whether a database or a journal holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

from lossmon.readers.databases.rows import Logged
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number
from lossmon.types import Axis, Facts

QUIET = 2.0
"""Seconds without a running trial after which a study has ended: between two trials the sampler
thinks, though seldom for as long as that."""

MAXIMIZE = "maximize"
MINIMIZE = "minimize"


def reported_tag(direction: str) -> str:
    """The series of the values that a trial reports on its way.

    They are measured on held-out data. What is minimised may be watched like a loss; what is
    maximised is a score.
    """
    return "eval/score" if direction == MAXIMIZE else "eval/objective"


def value_tag(directions: Sequence[str], objective: int) -> str:
    """The series of what the trials came to, over the trials: a metric and no curve of a loss."""
    which = f"objective_{objective}" if len(directions) > 1 else "objective"
    return f"{which}/{directions[objective]}"


def trial_value(
    directions: Sequence[str], objective: int, trial: int, value: float, when: float
) -> Logged:
    """What a trial came to, as a point of its study; `when` is in seconds since the Unix epoch."""
    return Logged(value_tag(directions, objective), trial, when, value, Axis.TRIAL)


def trial_name(study: str, trial: int, alone: bool) -> str:
    """What a trial is called; its study is named where there are several."""
    return f"trial {trial}" if alone else f"{study}/trial {trial}"


def ended(state: str) -> Facts:
    """How a trial is doing, by Optuna's own word for it."""
    return Facts(
        finished=state in ("COMPLETE", "PRUNED"),
        failure="the trial failed" if state == "FAIL" else "",
        ending="pruned" if state == "PRUNED" else "",
    )


def quiet_from(trials: Iterable[tuple[str, float]]) -> float | None:
    """When a study may be taken to have ended, in seconds since the Unix epoch.

    Args:
        trials: States and the newest end of a trial in each, NaN where there is none.

    Returns:
        None while a trial runs or waits, and before any has ended.
    """
    newest = -math.inf
    for state, end in trials:
        if state in ("RUNNING", "WAITING"):
            return None
        newest = max(newest, end if math.isfinite(end) else -math.inf)
    return newest + QUIET if math.isfinite(newest) else None


def setting(value: object, distribution: object) -> str:
    """A parameter as text: of several choices, the one that was taken."""
    said = number(value)
    try:
        known = json.loads(str(distribution))
        if known["name"] == "CategoricalDistribution" and said is not None:
            return clean_name(str(known["attributes"]["choices"][int(said)]))
        if known["name"] == "IntDistribution" and said is not None and math.isfinite(said):
            return str(int(said))
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        pass
    return clean_name(str(value))
