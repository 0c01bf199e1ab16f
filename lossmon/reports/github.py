"""A verdict as an annotation of a GitHub Actions job."""

from __future__ import annotations

from lossmon.analysis.sentences import remedies
from lossmon.diagnosis.advice import advise
from lossmon.locale import phrase, translate
from lossmon.sanitize import cells
from lossmon.types import RunSnapshot, Severity

LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning"}
"""Workflow commands by severity; all others are notices."""


def annotation(run: RunSnapshot, language: str) -> str:
    """One workflow command: `::error title=…::…`, a step and the first remedy included."""
    verdict = run.diagnosis.verdict
    words = advise(verdict, language)
    since = phrase("since step {step}", language, step=f"{verdict.since_step:,}")
    lines = [f"{words.badge} {since}: {words.evidence}"]
    if verdict.severity >= Severity.NOTICE:
        lines += remedies(run, language)[:1]
    title = [run.name, translate(run.state.value, language)]
    if run.step is not None:
        title.append(phrase("step {step}", language, step=f"{run.step:,}"))
    level = LEVELS.get(verdict.severity, "notice")
    return f"::{level} title={_property(', '.join(title))}::{_message(lines)}"


def _message(lines: list[str]) -> str:
    return "%0A".join(cells(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return cells(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
