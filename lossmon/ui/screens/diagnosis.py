"""Diagnosis view: verdict, evidence, meaning, remedies; what else it could be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.cells import cell_len

from lossmon.analysis.sentences import (
    also_sentences,
    best_sentence,
    forecast_sentence,
    metric_sentences,
    remedies,
)
from lossmon.diagnosis.advice import advise, explain_missing
from lossmon.locale import message
from lossmon.types import Diagnosis, Finding, RunSnapshot
from lossmon.ui.dashboard.verdicts import ROLES, block, confidence_of, shows_since, turn_line
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, choose, clean, wrap
from lossmon.ui.widgets.verdicts import SteadyText

LABELS = ("Why", "Metric", "Meaning", "Next", "Could also be", "Would change if", "Also",
          "Forecast", "Missing", "Notes")  # fmt: skip
"""Names of the sections; they stand in a margin, on a narrow screen on lines of their own."""


class DiagnosisScreen(PageScreen):
    """All that the engine says of the run in view."""

    def __init__(self) -> None:
        super().__init__()
        self._steady: defaultdict[tuple[str, int], SteadyText] = defaultdict(SteadyText)
        """The sentences on show, by section and place: no number changes by rounding alone."""

    def lines(self, room: int) -> Sequence[Line]:
        run = self.scene.run
        return [EMPTY] if run is None else self._page(run, room)

    def _page(self, run: RunSnapshot, room: int) -> list[Line]:
        diagnosis, say = run.diagnosis, self.scene.say
        verdict = diagnosis.verdict
        advice = advise(verdict, self.scene.language)
        lines = [self._verdict(verdict, clean(advice.badge), room), EMPTY]
        lines += self._section(say("Why"), [advice.evidence], room)
        lines += self._section(say("Metric"), metric_sentences(run, self.scene.language), room)
        lines += self._section(say("Meaning"), [advice.meaning], room)
        steps = [f"{n}. {remedy}" for n, remedy in enumerate(remedies(run, self.scene.language), 1)]
        steps.append(best_sentence(run, self.scene.language))
        steps.append(say("Look at the outputs (u).") if run.samples else "")
        lines += self._section(say("Next"), steps, room)
        lines.append(EMPTY)
        lines += self._section(say("Could also be"), [advice.could_also_be], room)
        lines += self._section(say("Would change if"), [advice.would_change_if], room)
        lines += self._others(diagnosis, room)
        lines += self._forecast(diagnosis, room)
        lines += self._past(diagnosis, room)
        return lines + self._missing(run, room)

    def _verdict(self, verdict: Finding, word: str, room: int) -> Line:
        say = self.scene.say
        parts: list[tuple[int, Line]] = [
            (0, block(verdict.severity, word)),
            (2, ((say(verdict.severity.word), ROLES[verdict.severity]),)),
            (3, ((confidence_of(self.scene, verdict), MUTED),)),
        ]
        if shows_since(verdict):
            parts.append((1, ((self.scene.since(numbers.step(verdict.since_step)), MUTED),)))
        return choose(parts, room, 3)

    def _others(self, diagnosis: Diagnosis, room: int) -> list[Line]:
        texts = also_sentences(diagnosis, self.scene.language)
        return self._section(self.scene.say("Also"), texts, room)

    def _forecast(self, diagnosis: Diagnosis, room: int) -> list[Line]:
        expected = forecast_sentence(diagnosis.forecast, self.scene.language)
        return self._section(self.scene.say("Forecast"), [expected], room)

    def _past(self, diagnosis: Diagnosis, room: int) -> list[Line]:
        turns = diagnosis.history
        if not turns:
            return []
        lines = [turn_line(turn, self.scene, room) for turn in turns]
        return [EMPTY, ((self.scene.say("History"), STRONG),), *lines]

    def _missing(self, run: RunSnapshot, room: int) -> list[Line]:
        texts = [explain_missing(code, self.scene.language) for code in run.diagnosis.missing]
        lines = self._section(self.scene.say("Missing"), texts, room)
        said = [message(one, self.scene.language) for one in (*run.errors, *run.notes)]
        notes = self._section(self.scene.say("Notes"), said, room)
        return [*([EMPTY] if lines or notes else []), *lines, *notes]

    def _section(self, label: str, texts: Sequence[str], room: int) -> list[Line]:
        about = self.scene.run.path if self.scene.run is not None else None
        held = [
            self._steady[label, at].hold(self.scene.sentence(text), about)
            for at, text in enumerate(texts)
        ]
        margin = max(cell_len(self.scene.say(word)) for word in LABELS) + 2
        return section(label, held, room, margin)


def section(label: str, texts: Sequence[str], room: int, margin: int) -> list[Line]:
    """A named section: the name in the margin, texts wrapped beside it; nothing if empty."""
    texts = [text for text in texts if text]
    if not texts:
        return []
    if room < 50:
        body = [((line, TEXT),) for text in texts for line in wrap(text, room)]
        return [((label, STRONG),), *body]
    rows = [line for text in texts for line in hanging(text, room - margin)]
    names = [label, *[""] * (len(rows) - 1)]
    return [
        ((name, STRONG), (" " * (margin - cell_len(name)), TEXT), (row, TEXT))
        for name, row in zip(names, rows, strict=True)
    ]


def hanging(text: str, room: int) -> list[str]:
    """Wrap a text; what follows `1. ` stands under the text, not under the number."""
    head, dot, rest = text.partition(". ")
    if not (dot and head.isdigit()):
        return wrap(text, room)
    indent = " " * (len(head) + 2)
    return [
        (indent if at else f"{head}. ") + line
        for at, line in enumerate(wrap(rest, room - len(indent)))
    ]
