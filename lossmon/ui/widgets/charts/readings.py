"""Below the chart of a detail: what every curve says at the cursor, and what the marks mean."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from lossmon.ui.chart.annotations import glyph_of, sample_of, verdict_glyph
from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.model import ChartModel, ChartOptions, Mark
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.chart.readout import Reading
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import MUTED, TEXT, Line, clean, clip, fit, pad, width
from lossmon.ui.widgets.panel import Panel

NAME_ROOM = 24
"""Cells of the name of a curve at most."""

_GAP = 2


class Readings(Panel):
    """One row a curve: its name, and the point nearest to the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Line] = ()
        self._cells: list[list[tuple[int, Line]]] = []

    def show(
        self,
        scene: Scene,
        model: ChartModel,
        options: ChartOptions,
        readings: Sequence[Reading],
        steps_per_epoch: Sequence[float | None],
    ) -> None:
        """Show what was read.

        Args:
            scene: In which language, on which terminal.
            model: Whose curves were read.
            options: How they are drawn.
            readings: What they say.
            steps_per_epoch: By what the steps of each curve are divided to get epochs, None where
                that is unknown.
        """
        self._cells = [
            _row(scene, model, options, reading, steps_per_epoch[reading.curve])
            for reading in readings
        ]
        self.redraw()

    def wanted_height(self, width: int) -> int:
        return max(1, len(self._cells))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return aligned(self._cells, width)


def _row(
    scene: Scene,
    model: ChartModel,
    options: ChartOptions,
    reading: Reading,
    steps_per_epoch: float | None,
) -> list[tuple[int, Line]]:
    curve, say = model.curves[reading.curve], scene.say
    role = SERIES_ROLES.get(curve.style, "eval" if curve.style == "eval" else "train")
    name = clip(clean(scene.metric(curve.name)), NAME_ROOM)
    epoch = reading.step / steps_per_epoch if steps_per_epoch else math.nan
    broken = not math.isfinite(reading.value)
    return [
        (0, ((f"{sample_of(reading.curve, options)} ", role), (name, role))),
        (1, scene.step(numbers.step(reading.step))),
        (0, ((numbers.value(reading.value), "critical" if broken else f"{role}!"),)),
        (2, _labelled(say("smoothed"), reading.smoothed, numbers.value)),
        (4, _labelled(say("epoch"), epoch, lambda at: f"{at:.2f}")),
        (3, _clock(reading.wall_time)),
    ]


def _labelled(label: str, number: float, spell: object) -> Line:
    if not math.isfinite(number) or not callable(spell):
        return ()
    return ((f"{label} ", MUTED), (str(spell(number)), TEXT))


def _clock(seconds: float) -> Line:
    if not math.isfinite(seconds):
        return ()
    try:
        local = time.localtime(seconds)
    except (OverflowError, OSError, ValueError):
        return ()
    return ((time.strftime("%m-%d %H:%M:%S", local), MUTED),)


def aligned(rows: Sequence[Sequence[tuple[int, Line]]], room: int) -> list[Line]:
    """Rows whose cells stand below each other; the least important columns go first.

    Args:
        rows: Cells with their importance, the same columns in every row.
        room: Cells of the terminal.
    """
    columns = list(range(len(rows[0]))) if rows else []
    sizes = {at: max(width(row[at][1]) for row in rows) for at in columns}
    columns = [at for at in columns if sizes[at]]
    while len(columns) > 1 and sum(sizes[at] for at in columns) + _GAP * len(columns) > room:
        columns.remove(max(columns, key=lambda at: (rows[0][at][0], at)))
    lines = []
    for row in rows:
        line: Line = ((" ", TEXT),)
        for at in columns:
            line = (*line, *pad(row[at][1], sizes[at]), (" " * _GAP, TEXT))
        lines.append(fit(line, room) if width(line) - _GAP > room else _trimmed(line, room))
    return lines


def _trimmed(line: Line, room: int) -> Line:
    return line if width(line) <= room else line[:-1]


class Legend(Panel):
    """What the marks in view mean, in as few lines as they need."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: list[Line] = []

    def show(
        self,
        scene: Scene,
        marks: Sequence[Mark],
        options: ChartOptions,
        found: frozenset[str],
        span: Span | None,
    ) -> None:
        """Show the marks of a span, and what the chart found itself."""
        self._entries = entries(scene, marks, options, found, span)
        self.set_class(not self._entries, "-empty")
        self.redraw()

    def wanted_height(self, width: int) -> int:
        return max(1, len(flowing(self._entries, width)))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return flowing(self._entries, width)[:height]


def entries(
    scene: Scene,
    marks: Sequence[Mark],
    options: ChartOptions,
    found: frozenset[str],
    span: Span | None,
) -> list[Line]:
    """A glyph and a word for every kind of mark in view."""
    seen = [mark for mark in marks if span is None or span.low <= mark.x <= span.high]
    kinds: dict[str, Line] = {}
    for mark in seen:
        if mark.kind == "verdict":
            role = f"verdict-{mark.severity.word}"
            glyph = verdict_glyph(mark.severity, options)
            kinds.setdefault(glyph, ((glyph, _VERDICT_ROLES.get(role, MUTED)),))
    verdicts = tuple(part for line in kinds.values() for part in line)
    lines: list[Line] = []
    if verdicts:
        lines.append((*verdicts, (f" {scene.say('verdict')}", MUTED)))
    there = {mark.kind for mark in seen} | found
    for kind, role, word in _WORDS:
        if kind in there:
            glyph = glyph_of(kind, options)
            if kind == "clipped" and "below" in found:
                glyph += glyph_of("below", options)
            lines.append(((glyph, role), (f" {scene.say(word)}", MUTED)))
    if "below" in found and "clipped" not in there:
        glyph = glyph_of("below", options)
        lines.append(((glyph, MUTED), (f" {scene.say('clipped')}", MUTED)))
    return lines


_WORDS = (
    ("checkpoint", MUTED, "checkpoint"),
    ("restart", MUTED, "restart"),
    ("nan", "critical", "not a number"),
    ("clipped", MUTED, "clipped"),
    ("min", "mark", "min"),
)
"""Kind of mark, the role of its glyph, and its word."""

_VERDICT_ROLES = {
    "verdict-ok": "ok",
    "verdict-notice": "notice",
    "verdict-warning": "warning",
    "verdict-critical": "critical",
}


def flowing(parts: Sequence[Line], room: int) -> list[Line]:
    """Parts one behind the other, in as many lines as they take."""
    lines: list[Line] = []
    for part in parts:
        if lines and width(lines[-1]) + 3 + width(part) < room:
            lines[-1] = (*lines[-1], ("   ", TEXT), *part)
        else:
            lines.append(fit(((" ", TEXT), *part), room))
    return lines
