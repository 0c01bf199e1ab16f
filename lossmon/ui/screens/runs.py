"""The runs: one row each, to choose the one in view."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.row_up", show=False, tooltip="Run above"),
        Binding("down,j", "choose(1)", "down", id="page.row_down", show=False, tooltip="Run below"),
        Binding("enter", "take", "open", id="page.take", tooltip="Open the chosen run"),
    ]

    title_word = "runs"

    def __init__(self, chosen: int, take: Callable[[int], None]) -> None:
        super().__init__()
        self.chosen = chosen
        self._take = take

    def heading(self) -> Line:
        return ((str(len(self.scene.snapshot.runs)), MUTED),)

    def lines(self, room: int) -> Sequence[Line]:
        runs = self.scene.snapshot.runs
        if not runs:
            return [((self.scene.say("waiting"), MUTED),)]
        self.chosen = min(self.chosen, len(runs) - 1)
        name_room = min(max(cell_len(run.name) for run in runs), max(8, room // 4))
        rows = [
            _row(self.scene, run, room, name_room, chosen=at == self.chosen)
            for at, run in enumerate(runs)
        ]
        return [fit(_head(self.scene, room, name_room), room), *rows]

    def action_choose(self, rows: int) -> None:
        """Move the choice."""
        count = len(self.scene.snapshot.runs)
        self.chosen = max(0, min(count - 1, self.chosen + rows))
        height = self.body.size.height
        if not self.body.top <= self.chosen + 1 < self.body.top + height:
            self.body.top = max(0, self.chosen + 1 - height // 2)
        self.present(self.scene)

    def action_take(self) -> None:
        """Look at the chosen run."""
        self._take(self.chosen)
        self.action_back()


_COLUMNS = (
    ("state", 11, 60),
    ("step", 15, 34),
    ("train", 9, 44),
    ("eval", 9, 54),
    ("best", 15, 84),
)
"""Title, cells, and the width of the page from which the column is there."""

_VERDICT_ROOM = 22


def _head(scene: Scene, room: int, name_room: int) -> Line:
    verdict = min(_VERDICT_ROOM, room // 3)
    text = "  " + pad(((scene.say("verdict"), MUTED),), verdict)[0][0].ljust(verdict)
    line: Line = ((text + " ", MUTED), (scene.say("name").ljust(name_room), MUTED))
    for title, size, least in _COLUMNS:
        if room >= least:
            line = (*line, (scene.say(title).rjust(size), MUTED))
    return line


def _row(scene: Scene, run: RunSnapshot, room: int, name_room: int, *, chosen: bool) -> Line:
    verdict = run.diagnosis.verdict
    word = clean(advise(verdict, scene.language).word)
    pointer: Line = (("▸ " if chosen else "  ", "key"),)
    name = pad(((clip(clean(run.name), name_room), STRONG if chosen else TEXT),), name_room)
    badge = narrow_block(verdict.severity, word, min(_VERDICT_ROOM, room // 3))
    line = (*pointer, *badge, (" ", TEXT), *name)
    cells = {
        "state": state_of(scene, run),
        "step": ((numbers.progress(run.step, run.total_steps), TEXT),) if run.step else EMPTY,
        "train": _newest(run.train_loss, "train"),
        "eval": _newest(run.eval_loss, "eval"),
        "best": _best(run),
    }
    for title, size, least in _COLUMNS:
        if room >= least:
            line = (*line, *_right(cells[title], size))
    return fit(line, room)


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
