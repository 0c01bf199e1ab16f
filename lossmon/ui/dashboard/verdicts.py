"""How the badge changed, and what to do next."""

from __future__ import annotations

from lossmon.analysis.sentences import remedies, stop_sentence
from lossmon.diagnosis.advice import badge_of
from lossmon.types import Severity, VerdictChange
from lossmon.ui.dashboard.badge import GLYPHS, ROLES
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, fit, plain, wrap


def verdict_rows(scene: Scene, width: int) -> int:
    """Rows that the history of verdicts and the next step fill."""
    turns = len(scene.run.diagnosis.history) if scene.run else 0
    return max(1, turns + len(step_lines(scene, width)))


def step_lines(scene: Scene, width: int) -> list[Line]:
    """The next step below an empty line; nothing where nothing is to do."""
    text = next_step(scene)
    return [EMPTY, *(((f" {line}", TEXT),) for line in wrap(text, width - 2))] if text else []


def next_step(scene: Scene) -> str:
    """What to do next about the run of a scene; empty where nothing is wrong."""
    run = scene.run
    if run is None:
        return ""
    stop = stop_sentence(run, scene.language)
    if run.diagnosis.verdict.severity >= Severity.NOTICE:
        told = remedies(run, scene.language)
    else:
        # Nothing is wrong: only what a stop would save is worth the room.
        told = (stop,) if stop else ()
    # A stop comes with where to go on from.
    text = " ".join(told[: 2 if stop else 1])
    return f"{scene.say('next')}: {clean(text)}" if text else ""


def turn_line(turn: VerdictChange, scene: Scene, room: int) -> Line:
    """One change of the badge."""
    role = ROLES[turn.severity]
    word = badge_of(turn.code, turn.variant, scene.language)
    step = plain(scene.step(f"{numbers.si(turn.step):>5}"))
    return fit(((f" {step}  ", MUTED), (f"{GLYPHS[turn.severity]} {word}", role)), room)
