"""Rule: a process of the run ended, while its log says that it goes on."""

from __future__ import annotations

from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

PATIENCE = 60.0
"""Seconds that processes must be gone: a launcher starts failed workers again, and the last lines
of a log reach a network file system later than the process ends."""


def process_gone(situation: Situation) -> Finding | None:
    """Processes were seen and are gone; no step was logged since, and the run is not at its end."""
    run, now = situation.run, situation.now
    gone = [one for one in situation.gone if now - one.since >= PATIENCE]
    if not gone or not situation.is_unfinished:
        return None
    last = situation.steps.samples[-1].time if situation.steps.samples else run.last_time
    if last is not None and last > gone[0].since:
        return None
    first = gone[0]
    name = " ".join(part for part in (first.node, first.name) if part)
    facts: dict[str, float | int | str] = {
        "process": name,
        "step": situation.step,
        "minutes": max(1, round((now - first.since) / 60)),
    }
    if run.total_steps is None:
        # A run whose length is not known has probably just ended.
        severity, confidence, variant = Severity.NOTICE, Confidence.MEDIUM, "unknown_end"
    else:
        # Early stopping ends a run like that too, and not every trainer says so.
        severity, confidence, variant = Severity.WARNING, Confidence.HIGH, ""
        facts["total"] = run.total_steps
    return Finding("process_gone", severity, situation.step, confidence, facts, variant)
