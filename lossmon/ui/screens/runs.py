"""The runs: one row each, to choose the one in view."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from lossmon.diagnosis.advice import advise
from lossmon.types import RunSnapshot, Series
from lossmon.ui import numbers
from lossmon.ui.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, clip, fit, pad
from lossmon.ui.scene import Scene
from lossmon.ui.screens.page import Page
from lossmon.ui.widgets.badge import narrow_block
from lossmon.ui.widgets.header import state_of


class RunsPage(Page):
    """A list of the runs with the numbers that matter.

    Args:
        chosen: Index of the run in view.
        take: Called with the index of the run to look at.
        mark: Called with the path of the run to mark or unmark.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.row_up", show=False, tooltip="Run above"),
        Binding("down,j", "choose(1)", "down", id="page.row_down", show=False, tooltip="Run below"),
        Binding("space", "mark", "mark", id="page.mark", tooltip="Mark for comparison"),
        Binding("enter", "take", "open", id="page.take", tooltip="Open the chosen run"),
    ]

    title_word = "runs"

    def __init__(
        self, chosen: int, take: Callable[[int], None], mark: Callable[[Path], None]
    ) -> None:
        super().__init__()
        self.chosen = chosen
        self._take, self._mark = take, mark

    def heading(self) -> Line:
        return ((str(len(self.scene.snapshot.runs)), MUTED),)

    def lines(self, room: int) -> Sequence[Line]:
        runs = self.scene.snapshot.runs
        if not runs:
            return [((self.scene.say("waiting"), MUTED),)]
        self.chosen = min(self.chosen, len(runs) - 1)
        table = Table(self.scene, room, max(cell_len(run.name) for run in runs))
        rows = [table.row(run, chosen=at == self.chosen) for at, run in enumerate(runs)]
        return [table.head(), *rows]

    def action_choose(self, rows: int) -> None:
        """Move the choice."""
        count = len(self.scene.snapshot.runs)
        self.chosen = max(0, min(count - 1, self.chosen + rows))
        height = self.body.size.height
        if not self.body.top <= self.chosen + 1 < self.body.top + height:
            self.body.top = max(0, self.chosen + 1 - height // 2)
        self.present(self.scene)

    def action_mark(self) -> None:
        """Mark the chosen run for comparison, or take its mark away."""
        if runs := self.scene.snapshot.runs:
            self._mark(runs[self.chosen].path)

    def action_take(self) -> None:
        """Look at the chosen run."""
        self._take(self.chosen)
        self.action_back()


COLUMNS = (("state", 11, 72), ("step", 15, 58), ("train", 9, 34), ("eval", 9, 44), ("best", 14, 88))
"""Title, cells, and the width of the page from which the column is there."""

VERDICT_ROOM = 22
"""Cells of a verdict, where a third of the page is not less."""


class Table:
    """Rows of runs in columns that fit a page.

    Args:
        scene: The runs, and in which language to name their verdicts.
        room: Cells of a row.
        longest: Cells of the longest name.
    """

    def __init__(self, scene: Scene, room: int, longest: int) -> None:
        self.scene, self.room = scene, room
        self.columns = [(title, size) for title, size, least in COLUMNS if room >= least]
        self.verdict = min(VERDICT_ROOM, room // 3)
        rest = room - self.verdict - 3 - sum(size for _, size in self.columns)
        self.name = max(4, min(longest, rest))

    def head(self) -> Line:
        """The titles of the columns."""
        say = self.scene.say
        line: Line = (
            ("  ", TEXT),
            *pad(((say("verdict"), MUTED),), self.verdict),
            (" ", TEXT),
            *pad(((say("name"), MUTED),), self.name),
        )
        for title, size in self.columns:
            line = (*line, *_right(((say(title), MUTED),), size))
        return fit(line, self.room)

    def row(self, run: RunSnapshot, *, chosen: bool) -> Line:
        """One run."""
        verdict = run.diagnosis.verdict
        word = clean(advise(verdict, self.scene.language).word)
        name = clip(clean(run.name), self.name)
        cells = {
            "state": state_of(self.scene, run),
            "step": _progress(run),
            "train": _newest(run.train_loss, "train"),
            "eval": _newest(run.eval_loss, "eval"),
            "best": _best(run),
        }
        line: Line = (
            ("▸" if chosen else " ", "key"),
            ("●" if run.path in self.scene.marked else " ", "key"),
            *narrow_block(verdict.severity, word, self.verdict),
            (" ", TEXT),
            *pad(((name, STRONG if chosen else TEXT),), self.name),
        )
        for title, size in self.columns:
            line = (*line, *_right(cells[title], size))
        return fit(line, self.room)


def _progress(run: RunSnapshot) -> Line:
    if run.step is None:
        return EMPTY
    return ((numbers.progress(run.step, run.total_steps), TEXT),)


def _newest(series: Series | None, role: str) -> Line:
    if series is None:
        return (("-", MUTED),)
    text = numbers.value(series.last)
    return ((text, role if math.isfinite(series.last) else "critical"),)


def _best(run: RunSnapshot) -> Line:
    series = run.eval_loss
    if series is None or not math.isfinite(series.minimum):
        return EMPTY
    return ((f"{numbers.value(series.minimum, 3)}@{numbers.si(series.min_step)}", MUTED),)


def _right(line: Line, room: int) -> Line:
    line = fit(line, room - 1)
    missing = room - sum(cell_len(text) for text, _ in line)
    return ((" " * missing, TEXT), *line)
