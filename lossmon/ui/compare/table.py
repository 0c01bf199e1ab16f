"""Table of a comparison: runs as rows of numbers, and the settings in which they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from lossmon.analysis.comparison import CurveDifference
from lossmon.analysis.run_settings import SettingDifference, differing
from lossmon.diagnosis.advice import badge_of
from lossmon.fast_dataclass import dataclass
from lossmon.ui.chart.model import XAxis
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.compare.runs import ComparedRun, Metric, best_of
from lossmon.ui.dashboard.verdicts import narrow_block
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MISSING,
    MUTED,
    STRONG,
    TEXT,
    Line,
    clean,
    clip,
    clip_middle,
    fit,
    pad,
    width,
)

MARKS = 5
"""Cells before a name: the choice, the letter, a piece of the curve."""

NAME = 6
"""Cells of a name at least."""

LONGEST_NAME = 48
"""Cells of a name at most, so that the numbers stay close to it."""

BADGE_EDGES = 2
"""Cells of a verdict before its word: a glyph and a blank."""

VALUE = 7
"""Cells of a setting at least; where they are fewer a run gives up its column."""

LONGEST_VALUE = 32
"""Cells that the column of a run has at most; more would tear the columns apart."""


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """One column of numbers.

    Attributes:
        title: What it is called.
        cells: How wide it is.
        least: Width of the table from which it is there.
    """

    title: str
    cells: int
    least: int


_COLUMNS = (
    ValueColumn("last", 9, 44),
    ValueColumn("best", 15, 88),
    ValueColumn("at", 9, 0),
    ValueColumn("difference", 14, 0),
    ValueColumn("± noise", 13, 62),
    ValueColumn("steps/s", 9, 104),
)


class ComparisonTable:
    """Rows of runs in columns that fit a width.

    Args:
        scene: In which language to name verdicts.
        at: The position at which, in units of `x`; None where there is none.
        base: Path of the baseline's run as a row, or None.
        room: Cells of a row.
    """

    def __init__(
        self,
        scene: Scene,
        metric: Metric | None,
        at: float | None,
        x: XAxis,
        rows: Sequence[ComparedRun],
        room: int,
    ) -> None:
        self.scene, self.metric, self.at, self.x, self.room = scene, metric, at, x, room
        has_speed = any(row.run.steps_per_second is not None for row in rows)
        wanted = (one for one in _COLUMNS if one.title != "steps/s" or has_speed)
        self.columns = [one for one in wanted if room >= one.least]
        numbers_room = sum(one.cells for one in self.columns)
        left = room - MARKS - numbers_room
        self._names = RunNames()
        self._names.update(tuple(row.run for row in rows))
        longest = max(NAME, self._names.longest)
        badges = (cell_len(self._badge(row)) + BADGE_EDGES for row in rows)
        self.verdict = min(max(badges, default=0), left - NAME - 12) if room >= 72 else 0
        self.verdict = self.verdict if self.verdict >= 10 else 0
        rest = left - (self.verdict + 2 if self.verdict else 0)
        self.name = max(min(NAME, room - MARKS), min(longest, LONGEST_NAME, rest))

    def head(self) -> Line:
        """The titles of the columns."""
        say = self.scene.say
        line: Line = ((" " * MARKS, TEXT), *pad(((say("name"), MUTED),), self.name))
        for one in self.columns:
            title = place(self.scene, self.at, self.x) if one.title == "at" else say(one.title)
            line = (*line, *right(((title, MUTED),), one.cells))
        if self.verdict:
            line = (*line, ("  ", TEXT), (say("verdict"), MUTED))
        return fit(line, self.room)

    def row(self, row: ComparedRun, *, chosen: bool, base: bool) -> Line:
        """One run."""
        cells = {
            "last": self._last(row),
            "best": self._best(row),
            "at": self._level(row),
            "difference": self._difference(row, base=base),
            "± noise": self._noise(row),
            "steps/s": self._speed(row),
        }
        name = self._names.of(row.run, self.name)
        role = STRONG if chosen else MUTED if row.hidden else TEXT
        line: Line = (
            ("▸" if chosen else " ", "key"),
            (row.letter, f"{SERIES_ROLES[row.style]}!"),
            ("  " if row.hidden else "━━", SERIES_ROLES[row.style]),
            (" ", TEXT),
            *pad(((name, role),), self.name),
        )
        for one in self.columns:
            line = (*line, *right(cells[one.title], one.cells))
        if self.verdict:
            severity = row.run.diagnosis.verdict.severity
            line = (*line, ("  ", TEXT), *narrow_block(severity, self._badge(row), self.verdict))
        return fit(line, self.room)

    def _badge(self, row: ComparedRun) -> str:
        verdict = row.run.diagnosis.verdict
        return clean(badge_of(verdict.code, verdict.variant, self.scene.language))

    def _last(self, row: ComparedRun) -> Line:
        if row.series is None:
            return MISSING
        role = TEXT if math.isfinite(row.series.last) else "critical"
        return ((numbers.value(row.series.last), role),)

    def _best(self, row: ComparedRun) -> Line:
        found = None
        if row.series is not None and self.metric is not None:
            found = best_of(row.series, self.metric)
        if found is None or not math.isfinite(found[0]):
            return EMPTY
        return ((f"{numbers.value(found[0], 3)}@{numbers.si(found[1])}", MUTED),)

    def _level(self, row: ComparedRun) -> Line:
        if row.hidden:
            return ((self.scene.say("hidden"), MUTED),)
        if row.level is None:
            return MISSING
        role = TEXT if math.isfinite(row.level.value) else "critical"
        return ((numbers.value(row.level.value), role),)

    def _difference(self, row: ComparedRun, *, base: bool) -> Line:
        if base:
            return ((self.scene.say("baseline"), MUTED),)
        apart = row.apart
        if apart is None or not math.isfinite(apart.value):
            return MISSING
        if not apart.is_real and self.room < 62:
            word = "within noise" if apart.within_noise else "too few"
            return ((self.scene.say(word), MUTED),)
        return ((signed(apart.value), self._judged(apart)),)

    def _judged(self, apart: CurveDifference) -> str:
        if not apart.is_real:
            return MUTED
        lower = self.metric.lower_is_better if self.metric is not None else None
        if lower is None:
            return TEXT
        return "ok" if (apart.value < 0) is lower else "warning"

    def _noise(self, row: ComparedRun) -> Line:
        if row.apart is None or not math.isfinite(row.apart.value):
            return EMPTY
        if not row.apart.is_real:
            word = "within noise" if row.apart.within_noise else "too few"
            return ((self.scene.say(word), MUTED),)
        return ((f"±{numbers.value(row.apart.margin, 3)}", MUTED),)

    def _speed(self, row: ComparedRun) -> Line:
        speed = row.run.steps_per_second
        return EMPTY if speed is None else ((numbers.si(speed), MUTED),)


def place(scene: Scene, at: float | None, x: XAxis) -> str:
    """A position in a few cells: `@1.24k`, `@2h 10m`."""
    if at is None:
        return "—"
    return f"@{numbers.duration(at) if x is XAxis.TIME else numbers.si(at)}"


def signed(value: float) -> str:
    """A difference with its sign."""
    if value == 0:
        return "±0"
    return f"{'−' if value < 0 else '+'}{numbers.value(abs(value), 3)}"


def right(line: Line, room: int) -> Line:
    """A cell of a column, with at least one blank before it."""
    line = fit(line, room - 1)
    return ((" " * (room - width(line)), TEXT), *line)


def setting_lines(
    scene: Scene,
    rows: Sequence[ComparedRun],
    settings: Sequence[Mapping[str, str]],
    first: Sequence[int],
    room: int,
) -> list[Line]:
    """The settings that differ, one column a run.

    Args:
        settings: Theirs, in the same order.
        first: Places in `rows` of those that keep their columns where not all fit.
        room: Cells of a line.
    """
    found = differing(settings)
    title: Line = ((scene.say("settings that differ"), STRONG),)
    if not found:
        known = sum(map(bool, settings))
        words = "settings are the same" if known > 1 else "no settings to compare"
        return [((scene.say(words), MUTED),)]
    longest = max(cell_len(clean(one.name)) for one in found)
    shown = _columns(rows, first, room - min(longest, room // 3))
    value = min(LONGEST_VALUE, _widest(found, shown) + 1)
    name = max(1, min(max(longest, width(title)), room - VALUE * len(shown)))
    value = max(1, min(value, (room - name) // max(1, len(shown))))
    head: Line = pad(title, name)
    for at in shown:
        row = rows[at]
        head = (*head, *right(((row.letter, f"{SERIES_ROLES[row.style]}!"),), value))
    return [fit(head, room), *(_setting(one, shown, name, value, room) for one in found)]


def _columns(rows: Sequence[ComparedRun], first: Sequence[int], room: int) -> list[int]:
    count = max(1, min(len(rows), room // VALUE))
    order = [*dict.fromkeys([*first, *range(len(rows))])]
    return sorted(order[:count])


def _widest(settings: Sequence[SettingDifference], shown: Sequence[int]) -> int:
    texts = (one.values[at] or "—" for one in settings for at in shown)
    return max(VALUE - 1, *(cell_len(clean(text)) for text in texts))


def _setting(
    one: SettingDifference, shown: Sequence[int], name: int, value: int, room: int
) -> Line:
    role = MUTED if one.aside else TEXT
    line: Line = pad(((clip(clean(one.name), name), MUTED),), name)
    for at in shown:
        text = one.values[at]
        # Paths differ at their ends alone.
        cell: Line = MISSING if text is None else ((clip_middle(clean(text), value - 1), role),)
        line = (*line, *right(cell, value))
    return fit(line, room)
