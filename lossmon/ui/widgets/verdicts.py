"""Verdict panels: the badge with its evidence, and the history of verdicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from lossmon.ui.dashboard.verdicts import (
    badge_line,
    further_lines,
    step_lines,
    turn_line,
    verdict_rows,
)
from lossmon.ui.text.lines import Line
from lossmon.ui.widgets.panel import ScenePanel


class Verdicts(ScenePanel, can_focus=True):
    """The history of verdicts of the run in view, newest last."""

    title_word = "verdicts"

    def wanted_height(self, width: int) -> int:
        return verdict_rows(self.scene, width)

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        run = self.scene.run
        if run is None:
            return []
        turns = run.diagnosis.history
        advice = step_lines(self.scene, width)
        room = height - len(advice)
        if room < min(2, len(turns)):
            advice, room = [], height
        advice += further_lines(self.scene, width, room - len(turns))
        shown = turns[len(turns) - max(0, min(room, len(turns))) :]
        return [*(turn_line(turn, self.scene, width) for turn in shown), *advice]


class Badge(ScenePanel, can_focus=True):
    """The verdict on the run in view."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._evidence = SteadyText()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self.redraw()

    async def on_click(self) -> None:
        """Open the diagnosis."""
        await self.run_action("app.view('view.diagnosis')")

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        run = self.scene.run
        steady = partial(self._evidence.hold, subject=None if run is None else run.path)
        return [badge_line(self.scene, width, has_focus=self.has_focus, steady=steady)]


_MEASURED = re.compile(r"(\d+\.\d+|\d+(?=%| %))")
"""Numbers that noise moves. Steps and counts have neither decimals nor a percent sign."""


class SteadyText:
    """The text shown last; newer ones take its place when they say something else."""

    def __init__(self) -> None:
        self._shown = ""
        self._subject: object = None

    def hold(self, fresh: str, subject: object = None) -> str:
        """Return the text to show: the one before, while no number moved beyond rounding.

        Args:
            subject: What it is about; the text on another subject is never held.
        """
        if subject != self._subject or not _is_near(self._shown, fresh):
            self._shown, self._subject = fresh, subject
        return self._shown


def _is_near(shown: str, fresh: str) -> bool:
    """Whether two texts differ at most by one in the last digits of measured numbers."""
    before, after = _MEASURED.split(shown), _MEASURED.split(fresh)
    if before[::2] != after[::2]:
        return False
    return all(map(_is_close, before[1::2], after[1::2]))


def _is_close(shown: str, fresh: str) -> bool:
    decimals = len(shown.partition(".")[2])
    unit = 10.0**-decimals
    return abs(float(shown) - float(fresh)) < 1.5 * unit
