"""Header of the dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.types import RunState
from lossmon.ui.dashboard.header import (
    age_of,
    header_line,
    header_parts,
    hidden_panes,
    progress_parts,
    state_of,
)
from lossmon.ui.dashboard.notices import Pace, notice, notice_line
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, MUTED, Line, clean, join
from lossmon.ui.text.lines import width as cells_of
from lossmon.ui.widgets.panel import Panel, ScenePanel


class Header(ScenePanel):
    """One line on the run; on a narrow screen the half of it that fits."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [header_line(self.parts(width), width)]

    def parts(self, width: int) -> list[tuple[int, Line]]:
        """What the line holds, with importance, in the order it stands."""
        return header_parts(self.scene, width)


class Progress(Header):
    """The narrow screen's header: name and how far, without the state."""

    def parts(self, width: int) -> list[tuple[int, Line]]:
        return progress_parts(self.scene, width)


class Pulse(Header):
    """The narrow screen's last line: the state and the age of the last step."""

    def parts(self, width: int) -> list[tuple[int, Line]]:
        run = self.scene.run
        if run is None:
            return []
        age = age_of(self.scene, run)
        if age:
            age = ((self.scene.say("last step") + " ", MUTED), *age)
        reason: Line = (
            ((clean(self.scene.say(run.state_reason)), MUTED),)
            if run.state_reason and run.state is not RunState.FINISHED
            else EMPTY
        )
        state = state_of(self.scene, run)
        words = [self._spelled(count) for count in (3, 2)]
        left = width - 2 - sum(cells_of(part) + 3 for part in (state, age) if part)
        fitting = (line for line in words if cells_of(line) <= left)
        keys: Line = next(fitting, (("? q d", "key"),))
        return [
            (0, state),
            (2, age),
            (3, reason),
            (1, self._hidden()),
            (1, keys),
        ]

    def _hidden(self) -> Line:
        """How many panes are hidden, behind the key that shows them."""
        hidden = hidden_panes(self.scene)
        return ((self.scene.key("pane.all"), "key"), (f" {hidden}", MUTED)) if hidden else EMPTY

    def _spelled(self, count: int) -> Line:
        """So many of the keys that matter most, each with its word."""
        words = (("?", "help"), ("q", "quit"), ("d", "diagnosis"))[:count]
        return join([((key, "key"), (f" {self.scene.say(word)}", MUTED)) for key, word in words])


class Notices(Panel):
    """The most urgent notice; hidden while there is none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line: Line = EMPTY
        self._pace = Pace()

    def show(self, scene: Scene) -> None:
        """Show the most urgent notice of a scene."""
        self._pace.update(scene)
        self.line = notice(scene, self._pace)
        self.set_class(not self.line, "-empty", update=self.is_mounted)
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [notice_line(self.line, width)]

    def on_click(self) -> None:
        """Press the key that the notice asks for."""
        key, role = self.line[-1] if self.line else ("", MUTED)
        if role == "key":
            self.app.simulate_key(key)
