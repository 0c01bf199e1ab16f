"""Conditions of a run that an alert may be about: findings of its curves, and its state."""

from __future__ import annotations

from typing import NamedTuple

from lossmon.types import RunSnapshot, RunState, Severity

STATES = {
    RunState.STALLED: ("stalled", Severity.WARNING),
    RunState.FAILED: ("failed", Severity.CRITICAL),
    RunState.FINISHED: ("finished", Severity.OK),
}
"""Code and severity of the states that are worth an alert."""

STATE_CODES = tuple(code for code, _ in STATES.values())
"""Codes of those states."""


class Condition(NamedTuple):
    """Something that holds of a run now.

    Attributes:
        code: Code of a finding, or of a state.
        severity: How much it matters.
        since_step: Step at which it began.
        is_settled: It has passed a hysteresis of its own: the verdict, and states.
    """

    code: str
    severity: Severity
    since_step: int
    is_settled: bool


def conditions(run: RunSnapshot) -> dict[str, Condition]:
    """Everything that holds of a run now, by code."""
    verdict = run.diagnosis.verdict
    found: dict[str, Condition] = {}
    for finding in (verdict, *run.diagnosis.findings):
        known = found.get(finding.code)
        if known is None or known.severity < finding.severity:
            found[finding.code] = Condition(
                finding.code, finding.severity, finding.since_step, finding.code == verdict.code
            )
    if run.state in STATES:
        code, severity = STATES[run.state]
        found[code] = Condition(code, severity, run.step or 0, True)
    return found
