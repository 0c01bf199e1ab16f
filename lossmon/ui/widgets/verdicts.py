"""How the badge changed, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.dashboard.verdicts import further_lines, step_lines, turn_line, verdict_rows
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
