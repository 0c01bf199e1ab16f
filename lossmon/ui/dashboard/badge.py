"""The badge: the verdict in a word, since when, and one line of evidence."""

from __future__ import annotations

from collections.abc import Callable

from lossmon.diagnosis.advice import advise
from lossmon.locale import phrase
from lossmon.types import UNJUDGED, Confidence, Finding, Severity
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, fit, sentence, spread, width

GLYPHS = {
    Severity.NEUTRAL: "…",
    Severity.OK: "✓",
    Severity.NOTICE: "◆",
    Severity.WARNING: "▲",
    Severity.CRITICAL: "✖",
}
"""Stands before the word: shape tells the severity as well as colour does."""

ROLES = {
    Severity.NEUTRAL: "muted",
    Severity.OK: "ok",
    Severity.NOTICE: "notice",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "critical",
}


CONFIDENCE_ROOM = 100
"""Columns from which the confidence stands beside the badge; the diagnosis has it anyway."""


def badge_line(
    scene: Scene,
    width: int,
    *,
    has_focus: bool = False,
    steady: Callable[[str], str] = str,
) -> Line:
    """The verdict on the run in view, in one row.

    Args:
        scene: What the screen shows.
        width: Cells of the row.
        has_focus: The badge has the focus.
        steady: Takes the newest evidence and returns the one to show.
    """
    run = scene.run
    if run is None:
        return EMPTY
    if run.diagnosis is UNJUDGED:
        return fit(block(Severity.NEUTRAL, scene.say("reading").upper()), width)
    verdict = run.diagnosis.verdict
    advice = advise(verdict, scene.language)
    line = block(verdict.severity, clean(advice.badge))
    gap = "  " if width >= 60 else " "
    if shows_since(verdict) and width >= 60:
        since = scene.since(numbers.si(verdict.since_step), short=width < 100)
        line = (*line, (gap + since, MUTED))
    if width >= CONFIDENCE_ROOM and shows_confidence(verdict):
        line = (*line, (gap + confidence_of(scene, verdict), MUTED))
    line = (*line, (gap, TEXT), (steady(sentence(advice.evidence)), TEXT))
    if width < 100:
        return fit(line, width)
    hint: Line = (("d ▸", "key" if has_focus else MUTED), (" ", TEXT))
    return spread(fit(line, width - 6), hint, width)


def block(severity: Severity, word: str) -> Line:
    """The word: filled for a warning or worse, a coloured word below that."""
    role = ROLES[severity]
    if severity >= Severity.WARNING:
        # The glyph tells a warning from a critical verdict where there are no colours.
        return (("▐", role), (f"{GLYPHS[severity]} {word} ", f"badge-{role}"), ("▌", role))
    return ((f" {GLYPHS[severity]} ", role), (word, f"{role}!"))


def confidence_of(scene: Scene, finding: Finding) -> str:
    """How well a finding is supported: `medium confidence`."""
    level = scene.say(finding.confidence.value)
    return phrase("{level} confidence", scene.language, level=level)


def shows_confidence(finding: Finding) -> bool:
    """Whether the verdict rests on little evidence."""
    return finding.severity > Severity.NEUTRAL and finding.confidence is not Confidence.HIGH


def shows_since(finding: Finding) -> bool:
    """Whether a step of onset means something for this finding."""
    return finding.since_step > 0 and finding.severity >= Severity.NOTICE


def narrow_block(severity: Severity, word: str, room: int) -> Line:
    """The word cut to a column of a list, glyph first."""
    line: Line = ((f"{GLYPHS[severity]} ", ROLES[severity]), (word, ROLES[severity]))
    line = fit(line, room)
    return (*line, (" " * (room - width(line)), TEXT))
