"""Run preview: losses, verdict and next step of the run that is chosen in a list."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.geometry import Size
from textual.widget import Widget

from lossmon.diagnosis.advice import advise
from lossmon.types import UNJUDGED, Severity
from lossmon.ui.dashboard.main_panes import pane_plans, together
from lossmon.ui.dashboard.verdicts import block, next_step
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, TEXT, Line, clean, fit, sentence, wrap
from lossmon.ui.text.lines import width as cells_of
from lossmon.ui.widgets.charts.pane import LossPane, show_plan
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.panel import ScenePanel

BESIDE = 140
"""Columns from which it has a place beside the list."""

BELOW = 34
"""Rows from which it has a place below the list."""

LOW = 20
"""Rows below which a chart beside the list says nothing."""

WIDEST = 76

FRAME = 3
"""Rows of the list beside those of its runs."""


def preview_size(size: Size, runs: int) -> Size:
    """Cells of the preview on a screen of this size; one of both is 0 where it takes them all, and
    both are where there is no room.

    Args:
        size: Cells of the screen.
        runs: Rows that the list beside it would fill.
    """
    if size.width >= BESIDE and size.height >= LOW:
        return Size(min(WIDEST, size.width // 3), 0)
    if size.height < BELOW:
        return Size(0, 0)
    # A short list leaves the preview what it does not need.
    most = size.height * 7 // 10
    return Size(0, max(size.height * 2 // 5, min(most, size.height - runs - FRAME)))


class RunPreview(Guarded, Widget):
    """The losses of a run above its verdict; nothing in it takes the focus."""

    DEFAULT_CSS = """
    RunPreview { layout: vertical; width: 1fr; height: 1fr; display: none; }
    RunPreview Outlook { height: 7; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.pane, self.outlook = LossPane(id="preview"), Outlook()
        self.pane.can_focus = False

    def compose(self) -> ComposeResult:
        yield self.pane
        yield self.outlook

    def show(self, scene: Scene) -> None:
        """Show the run of a scene; cheap where nothing of it changed."""
        show_plan(self.pane, scene, together(scene, pane_plans(scene)))
        self.outlook.show(scene)


class Outlook(ScenePanel):
    """The verdict in a word, its evidence, and the first thing to do."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        run = self.scene.run
        if run is None:
            return []
        if run.diagnosis is UNJUDGED:
            return [fit(block(Severity.NEUTRAL, self.scene.say("reading").upper()), width)]
        verdict = run.diagnosis.verdict
        advice = advise(verdict, self.scene.language)
        line: Line = (*block(verdict.severity, clean(advice.badge)), (" ", TEXT))
        lines = [(*line, (self.scene.sentence(advice.evidence), TEXT))]
        if cells_of(lines[0]) > width and height > 3:
            lines = [line, *_wrapped(self.scene.sentence(advice.evidence), width)]
        lines = [fit(one, width) for one in lines]
        if step := next_step(self.scene):
            gap = [EMPTY] if height > 3 else []
            lines += [*gap, *_wrapped(step, width)]
        return lines[:height]


def _wrapped(text: str, width: int) -> list[Line]:
    return [((f" {line}", TEXT),) for line in wrap(sentence(text), width - 2)]
