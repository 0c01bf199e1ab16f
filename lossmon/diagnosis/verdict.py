"""Hysteresis of the verdict: which finding is the badge, and the history of the badge."""

from __future__ import annotations

import math

from lossmon.diagnosis.rules import RULE_OF, VerdictPace, can_lead
from lossmon.diagnosis.signals import Signals
from lossmon.fast_dataclass import dataclass
from lossmon.types import WARMING_UP, Finding, Severity, VerdictChange

EVALS_TO_ENTER = 1
"""Further evals that must agree before a verdict by evals other than overfitting is shown."""

EVALS_TO_LEAVE = 2
"""Evals in a row that must disagree before a verdict by evals is dropped."""

GROWTH_TO_ENTER = 0.08
"""Share by which the run must grow while a slow state holds: a state that is true of half the
run is still true a twelfth of the run later."""

GROWTH_AMONG_KIN = 3.0
"""The same between names for a loss that does not move, or for a model that learns by heart: they
call for much the same remedies."""

GROWTH_TO_HEALTHY = 0.06
"""The same for the way back to healthy."""

GROWTH_TO_LEAVE_ALARM = 0.05
"""The same for leaving a verdict that was shown at once, and for a loss that rises but has not yet
lost most of what it had gained. A divergence is left sooner where it has been over for as long as
it lasted."""

Current = tuple[Finding, tuple[Finding, ...], tuple[VerdictChange, ...]]
"""The badge, all findings, and the history."""

HISTORY_LENGTH = 200
"""Changes of the badge remembered, newest last."""


@dataclass(slots=True)
class _Candidate:
    """A finding that waits to become the badge.

    Attributes:
        code: Its code.
        severity: Its severity.
        size: Steps that the run had when it was first leading.
        evals: Evals that the run had then.
    """

    code: str
    severity: Severity
    size: float
    evals: int


class VerdictHysteresis:
    """Keeps the badge until a change has enough evidence."""

    def __init__(self) -> None:
        self._badge = WARMING_UP
        self._history: list[VerdictChange] = []
        self._candidate: _Candidate | None = None
        self._restarted = False
        self._shown_at = 0.0
        self._away_since = math.inf

    @property
    def badge(self) -> str:
        """Code of the present badge."""
        return self._badge.code

    @property
    def history(self) -> tuple[VerdictChange, ...]:
        """Every verdict in the order in which it became the badge."""
        return tuple(self._history)

    def update(self, step: int, signals: Signals, leader: Finding) -> None:
        """Keep the badge or replace it.

        Args:
            step: Step of the newest point.
            signals: What the leading finding was found in.
            leader: The finding that would be the badge, were there no hysteresis.
        """
        restarted, self._restarted = self._restarted, False
        size = _size(signals)
        same = leader.code == self._badge.code
        self._away_since = math.inf if same else min(self._away_since, size)
        newest = self._history[-1:]
        if not self._history or (restarted and not same):
            self._show(step, leader)
        elif same and leader.severity >= self._badge.severity:
            self._keep(step, leader)
        elif self._is_ripe(signals, leader):
            self._show(step, leader)
        if self._history[-1:] != newest:
            self._shown_at, self._away_since = size, math.inf

    def _keep(self, step: int, leader: Finding) -> None:
        self._candidate = None
        if self._badge.severity is Severity.NEUTRAL < leader.severity:
            # The verdict was shown with a reservation until now: that was no change of its own.
            self._history.pop()
        if leader.severity > self._badge.severity:
            self._show(step, leader)
        self._badge = leader

    def _show(self, step: int, leader: Finding) -> None:
        self._badge = leader
        self._candidate = None
        self._history.append(VerdictChange(step, leader.code, leader.severity, leader.variant))
        del self._history[:-HISTORY_LENGTH]

    def _is_ripe(self, signals: Signals, leader: Finding) -> bool:
        """Whether a finding has led for long enough to become the badge."""
        size = _size(signals)
        evals = signals.eval.points if signals.eval else 0
        waiting = self._candidate
        if waiting is None or (waiting.code, waiting.severity) != (leader.code, leader.severity):
            waiting = self._candidate = _Candidate(leader.code, leader.severity, size, evals)
        if self._is_urgent(leader):
            return True
        if self._badge.code == "diverging" and leader.code != "diverging":
            lasted = max(self._away_since - self._shown_at, 0.0)
            return size - self._away_since >= min(GROWTH_TO_LEAVE_ALARM * self._away_since, lasted)
        if VerdictPace.MEMORISED in _pace(self._badge) & _pace(leader):
            return self._has_grown(signals, waiting, leader)
        by_evals = VerdictPace.BY_EVALS in _pace(self._badge)
        if by_evals and evals - waiting.evals < EVALS_TO_LEAVE - 1:
            return leader.code == "diverging" and self._has_grown(signals, waiting, leader)
        if VerdictPace.BY_EVALS in _pace(leader):
            return evals - waiting.evals >= EVALS_TO_ENTER
        return evals > 0 if by_evals else self._has_grown(signals, waiting, leader)

    def _has_grown(self, signals: Signals, waiting: _Candidate, leader: Finding) -> bool:
        """The run has grown enough, or would end before."""
        enough = (1 + self._growth(leader)) * waiting.size
        return _size(signals) >= min(enough, signals.total or enough)

    def _is_urgent(self, leader: Finding) -> bool:
        badge = self._badge
        if badge.code == "warming_up":
            return VerdictPace.SLOW not in _pace(leader)
        if leader.code == "diverging" and leader.severity < Severity.CRITICAL:
            return False
        outranks = RULE_OF[leader.code].rank < RULE_OF[badge.code].rank
        return VerdictPace.AT_ONCE in _pace(leader) and outranks

    def _growth(self, leader: Finding) -> float:
        """Share by which the run must grow before the leading finding becomes the badge."""
        if _pace(self._badge) & _pace(leader) & (VerdictPace.STUCK | VerdictPace.MEMORISED):
            return GROWTH_AMONG_KIN
        if VerdictPace.AT_ONCE in _pace(self._badge) or leader.code == "diverging":
            return GROWTH_TO_LEAVE_ALARM
        return GROWTH_TO_HEALTHY if leader.code == "healthy" else GROWTH_TO_ENTER

    def restart(self) -> None:
        """The run began again: what is left of the curve decides."""
        self._candidate = None
        self._restarted = bool(self._history)

    def current(self, step: int, findings: tuple[Finding, ...]) -> Current:
        """The badge with its newest numbers, all findings with the badge first, and the history.

        Args:
            step: Step of the newest point.
            findings: All that hold now, the leading one first.
        """
        same = [f for f in findings if f.code == self._badge.code and can_lead(f)]
        held = same[0] if same else self._badge
        verdict = findings[0] if self._restarted else held
        return verdict, (verdict, *(f for f in findings if f is not verdict)), self.history

    def ended(self, step: int, findings: tuple[Finding, ...]) -> Current:
        """The same of a run that is over: what leads is the badge.

        What evals have shown, only further evals could revoke.
        """
        if VerdictPace.BY_EVALS in _pace(self._badge):
            return self.current(step, findings)
        leader, history = findings[0], self.history
        if history and (history[-1].code, history[-1].severity) != (leader.code, leader.severity):
            history += (VerdictChange(step, leader.code, leader.severity, leader.variant),)
        return leader, findings, history


def _size(signals: Signals) -> float:
    """Steps that the run has covered."""
    return signals.step - signals.first + 1.0


def _pace(finding: Finding) -> VerdictPace:
    return RULE_OF[finding.code].pace
