"""Which finding is the badge: ranking, hysteresis and history."""

from __future__ import annotations

import math

from lossmon.diagnosis.rules import ASIDE
from lossmon.diagnosis.signals import Signals
from lossmon.fast_dataclass import dataclass
from lossmon.types import WARMING_UP, Finding, Severity, VerdictChange

RANK = (
    "non_finite",
    "diverging",
    "overfitting",
    "fast_memorisation",
    "distribution_mismatch",
    "easy_eval",
    "metric_disagreement",
    "spike",
    "oscillating",
    "lr_too_high",
    "underfitting",
    "lr_too_low",
    "plateau",
    "converged",
    "healthy",
    "too_few_evals",
    "warming_up",
)
"""Which finding wins the badge when several hold, most important first."""

AT_ONCE = frozenset({"non_finite", "diverging", "overfitting", "spike"})
"""Verdicts shown as soon as they hold: waiting costs the user compute, and their rules already
ask for evidence enough."""

BY_EVALS = frozenset(
    {
        "overfitting",
        "fast_memorisation",
        "distribution_mismatch",
        "easy_eval",
        "metric_disagreement",
    }
)
"""Verdicts that rest on evals: only new evals may bring or revoke them."""

EVALS_TO_ENTER = 1
"""Further evals that must agree before a verdict by evals other than overfitting is shown."""

EVALS_TO_LEAVE = 2
"""Evals in a row that must disagree before a verdict by evals is dropped."""

GROWTH_TO_ENTER = 0.08
"""Share by which the run must grow while a slow state holds: a state that is said of half the
run is still true a twelfth of the run later."""

GROWTH_AMONG_STUCK = 3.0
"""The same between names for a loss that does not move: they call for much the same remedies."""

STUCK = frozenset({"underfitting", "lr_too_low", "plateau"})
"""Names for a loss that does not move."""

GROWTH_TO_HEALTHY = 0.06
"""The same for the way back to healthy."""

GROWTH_TO_CALM = 0.05
"""The same for leaving a verdict that was shown at once, and for a loss that rises but has not yet
lost most of what it had gained. A divergence is left sooner where it has been over for as long as
it lasted."""

TURNS = 200
"""Turns of the badge remembered; a run that has more is told by its newest."""


@dataclass(slots=True)
class _Candidate:
    """A finding that would be the badge, and since when."""

    code: str
    severity: Severity
    size: float
    evals: int


class VerdictHysteresis:
    """Holds the badge and changes it only on good grounds."""

    def __init__(self) -> None:
        self._badge = WARMING_UP
        self._turns: list[VerdictChange] = []
        self._candidate: _Candidate | None = None
        self._resumed = False
        self._shown = 0.0
        self._away = math.inf

    @property
    def badge(self) -> str:
        """Code of the verdict that stands."""
        return self._badge.code

    @property
    def history(self) -> tuple[VerdictChange, ...]:
        """Every verdict in the order it became the badge."""
        return tuple(self._turns)

    def sit(self, step: int, curves: Signals, top: Finding) -> None:
        """Let the leading finding of this moment decide."""
        resumed, self._resumed = self._resumed, False
        size = curves.step - curves.first + 1.0
        self._away = math.inf if top.code == self._badge.code else min(self._away, size)
        last = self._turns[-1:]
        if not self._turns or (resumed and top.code != self._badge.code):
            self._show(step, top)
        elif top.code == self._badge.code and top.severity >= self._badge.severity:
            self._stay(step, top)
        elif self._ripe(curves, top):
            self._show(step, top)
        if self._turns[-1:] != last:
            self._shown, self._away = size, math.inf

    def _stay(self, step: int, top: Finding) -> None:
        self._candidate = None
        if top.severity > self._badge.severity:
            self._show(step, top)
        self._badge = top

    def _show(self, step: int, top: Finding) -> None:
        self._badge = top
        self._candidate = None
        self._turns.append(VerdictChange(step, top.code, top.severity))
        del self._turns[:-TURNS]

    def _ripe(self, curves: Signals, top: Finding) -> bool:
        """Whether a finding has waited long enough to become the badge."""
        size = curves.step - curves.first + 1.0
        evals = curves.eval.points if curves.eval else 0
        waiting = self._candidate
        if waiting is None or (waiting.code, waiting.severity) != (top.code, top.severity):
            waiting = self._candidate = _Candidate(top.code, top.severity, size, evals)
        if self._urgent(top):
            return True
        if self._badge.code == "diverging" and top.code != "diverging":
            up = max(self._away - self._shown, 0.0)
            return size - self._away >= min(GROWTH_TO_CALM * self._away, up)
        if self._badge.code in BY_EVALS and evals - waiting.evals < EVALS_TO_LEAVE - 1:
            return top.code == "diverging" and self._grown(size, waiting, top)
        if top.code in BY_EVALS:
            return evals - waiting.evals >= EVALS_TO_ENTER
        if self._badge.code in BY_EVALS:
            return evals > 0
        return self._grown(size, waiting, top)

    def _grown(self, size: float, waiting: _Candidate, top: Finding) -> bool:
        return size >= (1 + self._growth(top)) * waiting.size

    def _urgent(self, top: Finding) -> bool:
        badge = self._badge
        if badge.code == "warming_up":
            return top.code not in SLOW or top.code == "healthy"
        if top.code == "diverging" and top.severity < Severity.CRITICAL:
            return False
        return top.code in AT_ONCE and RANK.index(top.code) < RANK.index(badge.code)

    def _growth(self, top: Finding) -> float:
        if self._badge.code in AT_ONCE or top.code == "diverging":
            return GROWTH_TO_CALM
        if self._badge.code in STUCK and top.code in STUCK:
            return GROWTH_AMONG_STUCK
        return GROWTH_TO_HEALTHY if top.code == "healthy" else GROWTH_TO_ENTER

    def restart(self) -> None:
        """The run began again: what is left of the curve decides anew."""
        self._candidate = None
        self._resumed = bool(self._turns)

    def present(self, findings: tuple[Finding, ...]) -> tuple[Finding, tuple[Finding, ...]]:
        """The badge with its newest numbers, and all findings with the badge first.

        Args:
            findings: All that hold now, the leading one first.
        """
        same = [f for f in findings if f.code == self._badge.code and f.variant not in ASIDE]
        held = same[0] if same else self._badge
        verdict = findings[0] if self._resumed else held
        return verdict, (verdict, *(f for f in findings if f is not verdict))


SLOW = frozenset(
    {"oscillating", "lr_too_high", "underfitting", "lr_too_low", "plateau", "converged", "healthy"}
)
"""Verdicts about the course of the run, true of a long stretch or not at all."""
