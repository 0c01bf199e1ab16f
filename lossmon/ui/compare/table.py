"""Table of a comparison: runs as rows of numbers, and the settings in which they differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from rich.cells import cell_len

from lossmon.analysis.comparison import CurveDifference
from lossmon.analysis.run_settings import ComparedSetting, compared, is_equal
from lossmon.diagnosis.advice import badge_of
from lossmon.fast_dataclass import dataclass
from lossmon.ui.chart.model import XAxis
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.compare.runs import ComparedRun, Comparison, Metric, best_of, style_of
from lossmon.ui.dashboard.verdicts import narrow_block
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.scene import Scene
from lossmon.ui.state.session import LETTERS
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MISSING,
    MUTED,
    STRONG,
    TEXT,
    Line,
    clean,
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

LEAST_NAMED = 12
"""Cells of a column of settings from which it has the name of its run."""

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


class SettingTable:
    """Settings of compared runs as rows, with a column for each run.

    Args:
        scene: In which language to name things.
        comparison: The runs.
        room: Cells of a row.
        pinned: Paths of runs that keep their columns where not all fit, the baseline first.
        least: Cells of a column, of which as many as fit are shown.
        first: The first of the other runs that is shown where not all fit.
        fits: Whether a name or a value is looked for.
    """

    def __init__(
        self,
        scene: Scene,
        comparison: Comparison,
        room: int,
        pinned: Collection[Path | None],
        least: int,
        first: int = 0,
        fits: Callable[..., bool] = lambda *_: True,
    ) -> None:
        self._comparison, self._room, runs = comparison, room, comparison.runs
        found = [
            one
            for one in compared([run.settings for run in runs])
            if fits(one.name, *(value or "" for value in one.values))
        ]
        self.differing = [one for one in found if one.differs]
        self.same = [one for one in found if not one.differs]
        self._title: Line = ((scene.say("settings that differ"), STRONG),)
        longest = max([width(self._title), *(cell_len(clean(one.name)) for one in found)])
        self._name = max(1, min(longest, max(room // 3, room - least * len(runs))))
        count = max(1, min(len(runs), (room - self._name) // least))
        kept = [at for at, run in enumerate(runs) if run.path in pinned]
        others = [at for at in range(len(runs)) if at not in kept]
        self.columns = sorted([*kept, *others[first:]][:count])
        """Places of the runs that have a column."""
        texts = (one.values[at] or "" for one in self.differing for at in self.columns)
        widest = max([least - 1, *(cell_len(clean(text)) for text in texts)]) + 1
        self._cells = max(1, min(LONGEST_VALUE, widest, (room - self._name) // count))
        self._names = RunNames()
        self._names.update(tuple(runs))
        paths = comparison.paths
        self._base = paths.index(comparison.base) if comparison.base in paths else None

    def head(self) -> Line:
        """The letters of the runs behind a title, with their names where there is room."""
        line = pad(self._title, self._name)
        for at in self.columns:
            run = self._comparison.runs[at]
            place = self._comparison.place(run)
            cell: Line = ((LETTERS[place], f"{SERIES_ROLES[style_of(place)]}!"),)
            if self._cells >= LEAST_NAMED:
                role = STRONG if at == self._base else TEXT
                cell = (*cell, (f" {self._names.of(run, self._cells - 3)}", role))
            line = (*line, *right(cell, self._cells))
        return fit(line, self._room)

    def row(self, one: ComparedSetting) -> Line:
        """One setting; values unlike that of the baseline stand out."""
        line = pad(((clip_middle(clean(one.name), self._name), MUTED),), self._name)
        if not one.differs:
            value = next((value for value in one.values if value is not None), "")
            return fit((*line, (f" {clean(value)}", MUTED)), self._room)
        for at in self.columns:
            # Paths differ at their ends alone.
            text = one.values[at]
            cell: Line = MISSING
            if text is not None:
                role = self._role(one, at)
                cell = ((clip_middle(clean(text), self._cells - 1), role),)
            line = (*line, *right(cell, self._cells))
        return fit(line, self._room)

    def _role(self, one: ComparedSetting, at: int) -> str:
        if one.aside:
            return MUTED
        if self._base is None or at == self._base:
            return TEXT
        return MUTED if is_equal(one.values[at], one.values[self._base]) else "notice"


def setting_lines(scene: Scene, comparison: Comparison, room: int) -> list[Line]:
    """The settings that differ, one column per run (see `SettingTable`)."""
    pinned = (comparison.base, comparison.chosen)
    table = SettingTable(scene, comparison, room, pinned, VALUE)
    if not table.differing:
        known = sum(bool(run.settings) for run in comparison.runs)
        words = "settings are the same" if known > 1 else "no settings to compare"
        return [((scene.say(words), MUTED),)]
    return [table.head(), *map(table.row, table.differing)]
