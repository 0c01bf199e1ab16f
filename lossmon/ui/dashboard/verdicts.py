"""Verdict of the dashboard: the badge with its evidence, its history and the next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lossmon.analysis.sentences import remedies, stop_sentence
from lossmon.diagnosis.advice import advise, badge_of
from lossmon.locale import phrase
from lossmon.types import UNJUDGED, Confidence, Finding, Severity, VerdictChange
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    TEXT,
    Line,
    clean,
    fit,
    plain,
    spread,
    width,
    wrap,
)


def verdict_rows(scene: Scene, width: int) -> int:
    """Rows that the history of verdicts and the next step fill."""
    turns = len(scene.run.diagnosis.history) if scene.run else 0
    return max(1, turns + len(step_lines(scene, width)))


def step_lines(scene: Scene, width: int) -> list[Line]:
    """The next step below an empty line; nothing where nothing is to do."""
    text = next_step(scene)
    return _paragraph(text, width) if text else []


def next_step(scene: Scene) -> str:
    """What to do next about the run of a scene; empty where nothing is wrong."""
    return _labelled(scene, scene.say("next: "), " ".join(_first_steps(scene)))


def _first_steps(scene: Scene) -> tuple[str, ...]:
    run = scene.run
    if run is None:
        return ()
    stop = stop_sentence(run, scene.language)
    if run.diagnosis.verdict.severity < Severity.NOTICE:
        # Nothing is wrong: only what a stop would save is worth the room.
        return (stop,) if stop else ()
    # A stop comes with where to go on from.
    return remedies(run, scene.language)[: 2 if stop else 1]


def further_lines(scene: Scene, width: int, room: int) -> list[Line]:
    """What a high panel has room for below the next step: other steps, what the verdict means, what
    else it could be, and what would change it; nothing is cut.

    Args:
        width: Cells of a row.
        room: Rows.
    """
    lines: list[Line] = []
    for paragraph in _further(scene, width):
        if len(lines) + len(paragraph) <= room:
            lines += paragraph
    return lines


def _further(scene: Scene, width: int) -> Iterator[list[Line]]:
    run = scene.run
    if run is None or run.diagnosis is UNJUDGED:
        return
    verdict = run.diagnosis.verdict
    if verdict.severity >= Severity.NOTICE:
        for text in remedies(run, scene.language)[len(_first_steps(scene)) :]:
            first, *rest = wrap(scene.sentence(text), width - 4)
            yield [((f" • {first}", TEXT),), *(((f"   {line}", TEXT),) for line in rest)]
    advice = advise(verdict, scene.language)
    for label, text in (
        (scene.say("meaning: "), advice.meaning),
        (scene.say("could also be: "), advice.could_also_be),
        (scene.say("would change if: "), advice.would_change_if),
    ):
        if text:
            yield _paragraph(_labelled(scene, label, text), width)


def _labelled(scene: Scene, label: str, text: str) -> str:
    return label + scene.sentence(text) if text else ""


def _paragraph(text: str, width: int) -> list[Line]:
    return [EMPTY, *(((f" {line}", TEXT),) for line in wrap(text, width - 2))]


def turn_line(turn: VerdictChange, scene: Scene, room: int) -> Line:
    """One change of the badge; a long badge takes the room of the word before its step."""
    badge = badge_of(turn.code, turn.variant, scene.language)
    word = (f"{GLYPHS[turn.severity]} {badge}", ROLES[turn.severity])
    number = f"{numbers.si(turn.step):>5}"
    whole: Line = ((f" {plain(scene.step(number))}  ", MUTED), word)
    return whole if width(whole) <= room else fit(((f" {number}  ", MUTED), word), room)


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
    evidence = advice.short if width < 60 and advice.short else advice.evidence
    line = (*line, (gap, TEXT), (steady(scene.sentence(evidence)), TEXT))
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
