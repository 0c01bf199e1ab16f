"""The table of rules: curves to findings, each rule a pure function."""

from __future__ import annotations

from collections.abc import Callable

from lossmon.diagnosis.rules.divergence import diverging
from lossmon.diagnosis.rules.evals import fast_memorisation, overfitting, unlike_data
from lossmon.diagnosis.rules.fatal import non_finite, spike
from lossmon.diagnosis.rules.metric import metric_disagreement
from lossmon.diagnosis.rules.progress import (
    calm,
    converged,
    lr_too_high,
    oscillating,
    too_few_evals,
)
from lossmon.diagnosis.rules.stuck import frozen, stuck
from lossmon.diagnosis.signals import Signals
from lossmon.types import Finding

Rule = Callable[[Signals, float], Finding | None]

RULES: tuple[Rule, ...] = (
    non_finite,
    diverging,
    overfitting,
    fast_memorisation,
    unlike_data,
    metric_disagreement,
    spike,
    oscillating,
    stuck,
    frozen,
    converged,
    calm,
)
"""The rules whose findings may become the badge, most important first; each gives at most one
finding, and `calm` always one."""

ASIDE_RULES: tuple[Rule, ...] = (lr_too_high, too_few_evals)
"""The rules whose findings are only told beside the badge."""

ASIDE = ("recovered", "aside")
"""Variants that are told beside the badge and never become it."""


STAY = 2.0
"""Times the sensitivity at which a divergence is still one: it is over when most of what was lost
has been regained, not when it falls short of the alarm by a hair."""


def judge(curves: Signals, sensitivity: float, badge: str = "") -> tuple[Finding, ...]:
    """Every finding that holds now, the one that would be the badge first.

    Args:
        curves: What to judge.
        sensitivity: See `Engine`.
        badge: Code of the verdict that stands.
    """
    asked = [rule(curves, _factor(rule, badge) * sensitivity) for rule in RULES + ASIDE_RULES]
    found = [finding for finding in asked if finding is not None]
    return tuple(sorted(found, key=lambda finding: finding.variant in ASIDE))


def _factor(rule: Rule, badge: str) -> float:
    return STAY if rule is diverging and badge == "diverging" else 1.0


def leading(curves: Signals, sensitivity: float, badge: str = "") -> Finding:
    """The finding that would be the badge now, were there no waiting."""
    for rule in RULES:
        finding = rule(curves, _factor(rule, badge) * sensitivity)
        if finding is not None and finding.variant not in ASIDE:
            return finding
    return calm(curves, sensitivity)
