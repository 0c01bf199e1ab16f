"""Rows of the fleet as lines of text, composed when they come into view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from lossmon.diagnosis.advice import badge_of
from lossmon.types import UNJUDGED, Floats, RunSnapshot, RunState, Severity
from lossmon.ui.chart.sparkline import sparkline
from lossmon.ui.dashboard.header import STATES
from lossmon.ui.dashboard.verdicts import GLYPHS, ROLES
from lossmon.ui.fleet.columns import (
    COUNT,
    MARKS,
    Column,
    empty_columns,
    group_column,
    laid_out,
    objective_column,
)
from lossmon.ui.fleet.fleet import Fleet
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.fleet.order import DESCENDING, Key
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    STRONG,
    TEXT,
    TINT,
    Line,
    clean,
    clip_middle,
    fit,
    pad,
    width,
)

_KEPT = 512
"""Sparklines that are kept: a few screenfuls."""


class Trends:
    """Sparklines of the rows that were in view, drawn again when their series grew."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Floats, int, str]] = {}

    def of(self, run: RunSnapshot, cells: int, ascii: bool) -> str:
        """The train loss of a run as one row of text; of one without any, its eval loss."""
        series = run.train_loss or run.eval_loss
        if series is None:
            return ""
        known = self._known.get(run.path)
        if known is None or known[0] is not series.values or known[1] != cells:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = (series.values, cells, sparkline(series.values, cells, ascii))
            self._known[run.path] = known
        return known[2]


class Table(Sequence[Line]):
    """One line a run; only those that are asked for are composed.

    Args:
        fleet: Which runs, in which order.
        scene: When, in which language, and which are marked.
        room: Cells of a row.
        settings: Columns of settings to show.
    """

    def __init__(
        self,
        fleet: Fleet,
        scene: Scene,
        room: int,
        trends: Trends,
        names: RunNames,
        settings: Sequence[Column] = (),
    ) -> None:
        self._fleet, self._scene, self._room, self._trends = fleet, scene, room, trends
        self._rows, self._names = fleet.rows, names
        runs = [fleet.run(path) for path in self._rows]
        names.update(fleet.runs)
        empty = empty_columns(runs)
        objective = objective_column(runs) if "loss" in empty else None
        self._group = None
        if fleet.filter.group:
            self._group = group_column(fleet.filter.group, set(fleet.groups.values()))
            self._sizes = Counter(fleet.groups.values())
        self.columns = laid_out(room, names.longest, empty, objective, self._group, settings)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Line: ...

    @overload
    def __getitem__(self, place: slice) -> list[Line]: ...

    def __getitem__(self, place: int | slice) -> Line | list[Line]:
        if isinstance(place, slice):
            return [self._line(at) for at in range(*place.indices(len(self._rows)))]
        return self._line(range(len(self._rows))[place])

    def head(self) -> Line:
        """The titles of the columns, with an arrow at the one that sorts."""
        columns = self.columns
        line: Line = (
            (" " * MARKS, TEXT),
            *pad(self._title("verdict", Key.ATTENTION), columns.badge),
            (" ", TEXT),
            *pad(self._title("name", Key.NAME), columns.name),
        )
        for column in columns.rest:
            title = self._title(column.title, column.key)
            line = (*line, *_placed(title, column))
        return fit(line, self._room)

    def _title(self, title: str, key: Key | None) -> Line:
        fleet = self._fleet
        word = self._scene.say(title)
        if key is None or key is not fleet.key:
            return ((word, MUTED),)
        down = (key in DESCENDING) is not fleet.turned
        return ((word + ("↓" if down else "↑"), STRONG),)

    def _line(self, row: int) -> Line:
        run = self._fleet.run(self._rows[row])
        chosen = row == self._fleet.row
        columns = self.columns
        name = self._names.of(run, columns.name)
        line: Line = (
            ("▸" if chosen else " ", "key"),
            ("●" if run.path in self._scene.marked else " ", "key"),
            *pad(badge(self._scene, run), columns.badge),
            (" ", TEXT),
            *pad(((name, STRONG if chosen else TEXT),), columns.name),
        )
        for column in columns.rest:
            is_group = column is self._group
            cell = self._group_cell(row, column.size) if is_group else self._cell(run, column)
            line = (*line, *_placed(cell, column))
        line = fit(line, self._room)
        return filled(line, self._room) if chosen else line

    def _group_cell(self, row: int, room: int) -> Line:
        """The value that a row is grouped by; in the first row of a group with its size."""
        groups = self._fleet.groups
        group = groups.get(self._rows[row], "")
        text = clip_middle(clean(group) or "—", room - COUNT)
        if row and groups.get(self._rows[row - 1], "") == group:
            return ((text, MUTED),)
        return ((text, STRONG), (f" ×{self._sizes[group]}", MUTED))

    def _cell(self, run: RunSnapshot, column: Column) -> Line:
        if column.cell is not None:
            return column.cell(self._scene, run)
        ascii = not self._scene.terminal.unicode
        return ((self._trends.of(run, column.size - 1, ascii), "train"),)


def filled(line: Line, room: int) -> Line:
    """A line on a ground of its own, over the whole width; what is a filled block stays one."""
    return tuple(
        (text, role if role.startswith("badge-") else role + TINT) for text, role in pad(line, room)
    )


def badge(scene: Scene, run: RunSnapshot) -> Line:
    """Glyph and word of the verdict: loud for an alarm, quiet else.

    The state takes its place where it is the more severe one.
    """
    verdict = run.diagnosis.verdict
    alarming = verdict.severity >= Severity.WARNING
    if run.state in (RunState.FAILED, RunState.STALLED) and not alarming:
        glyph, role = STATES[run.state]
        return ((f"{glyph} {scene.say(run.state.value).upper()}", role),)
    role = ROLES[verdict.severity]
    if run.diagnosis is UNJUDGED:
        word = scene.say("reading")
    else:
        word = clean(badge_of(verdict.code, verdict.variant, scene.language))
        word = word if alarming else word.lower()
    return ((f"{GLYPHS[verdict.severity]} ", role), (word, f"{role}!" if alarming else role))


def _placed(line: Line, column: Column) -> Line:
    """The text in its column behind a blank: words and trends left, numbers right."""
    room = column.size - 1
    if column.left:
        return ((" ", TEXT), *pad(line, room)) if line else ((" " * column.size, TEXT),)
    line = fit(line, room) if line else EMPTY
    return ((" " * (column.size - width(line)), TEXT), *line)
