"""Which finding is the badge: ranking, hysteresis and history."""

from __future__ import annotations

from lossmon.diagnosis.curves import Curves
from lossmon.types import WARMING_UP, Finding, Turn

RANK = (
    "non_finite",
    "diverging",
    "metric_disagreement",
    "overfitting",
    "fast_memorisation",
    "distribution_mismatch",
    "easy_eval",
    "spike",
    "lr_too_high",
    "underfitting",
    "lr_too_low",
    "plateau",
    "oscillating",
    "converged",
    "healthy",
    "too_few_evals",
    "warming_up",
)
"""Which finding wins the badge when several hold, most important first."""

TURNS = 200
"""Turns of the badge remembered; a run that has more is told by its newest."""


class Bench:
    """Holds the badge and changes it only on good grounds."""

    def __init__(self) -> None:
        self._badge = WARMING_UP
        self._turns: list[Turn] = []

    @property
    def history(self) -> tuple[Turn, ...]:
        """Every verdict in the order it became the badge."""
        return tuple(self._turns)

    def sit(self, step: int, curves: Curves, findings: tuple[Finding, ...]) -> None:
        """Let the findings of this moment decide."""
        del curves
        top = min(findings, key=lambda finding: RANK.index(finding.code))
        changed = (top.code, top.severity) != (self._badge.code, self._badge.severity)
        self._badge = top
        if changed or not self._turns:
            self._turns.append(Turn(step, top.code, top.severity))
            del self._turns[:-TURNS]

    def restart(self, step: int) -> None:
        """The run began again at `step`."""

    def present(self, findings: tuple[Finding, ...]) -> tuple[Finding, tuple[Finding, ...]]:
        """The badge with its newest numbers, and all findings with the badge first."""
        same = [finding for finding in findings if finding.code == self._badge.code]
        verdict = same[0] if same else self._badge
        others = tuple(f for f in findings if f.code != verdict.code)
        return verdict, (verdict, *others)
