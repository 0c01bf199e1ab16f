"""The table of rules: curves to findings, each rule a pure function."""

from __future__ import annotations

from collections.abc import Callable

from lossmon.diagnosis.curves import Curves
from lossmon.diagnosis.rules.evals import fast_memorisation, overfitting, unlike_data
from lossmon.diagnosis.rules.fatal import diverging, non_finite, spike
from lossmon.diagnosis.rules.metric import metric_disagreement
from lossmon.diagnosis.rules.progress import (
    calm,
    converged,
    frozen,
    lr_too_high,
    oscillating,
    stuck,
    too_few_evals,
)
from lossmon.types import Finding

Rule = Callable[[Curves, float], Finding | None]

RULES: tuple[Rule, ...] = (
    non_finite,
    diverging,
    overfitting,
    fast_memorisation,
    unlike_data,
    spike,
    metric_disagreement,
    stuck,
    oscillating,
    frozen,
    lr_too_high,
    converged,
    too_few_evals,
    calm,
)
"""Every rule; a rule gives at most one finding, and `calm` always one."""


def judge(curves: Curves, sensitivity: float) -> tuple[Finding, ...]:
    """Every finding that holds now."""
    return tuple(f for rule in RULES if (f := rule(curves, sensitivity)) is not None)
