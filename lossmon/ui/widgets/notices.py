"""One line for what the data cannot say by itself: loading, freezing, files that failed."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.lines import EMPTY, MUTED, TEXT, Line, clean, fit
from lossmon.ui.scene import Scene
from lossmon.ui.widgets.gpus import bar
from lossmon.ui.widgets.panel import Panel


class Notices(Panel):
    """The most urgent notice; hidden while there is none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line: Line = EMPTY

    def show(self, scene: Scene) -> None:
        """Show the most urgent notice of a scene."""
        self.line = notice(scene)
        self.set_class(not self.line, "-empty")
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [fit(((" ", TEXT), *self.line), width)]


def notice(scene: Scene) -> Line:
    """The most urgent notice: frozen, loading, errors, notes."""
    run = scene.run
    if scene.frozen:
        return (("‖ " + scene.say("frozen"), "notice!"), (scene.say("  space goes on"), MUTED))
    if run is not None and run.loaded < 1:
        percent = f" {100 * run.loaded:.0f}%"
        return ((scene.say("reading") + " ", MUTED), *bar(run.loaded, 12), (percent, TEXT))
    errors = [*scene.troubles, *(run.errors if run else ())]
    if errors:
        more = f"  (+{len(errors) - 1})" if len(errors) > 1 else ""
        return (("⚠ ", "warning"), (clean(errors[0]), TEXT), (more, MUTED))
    notes = [*(run.notes if run else ()), *scene.snapshot.notes]
    return ((clean(notes[0]), MUTED),) if notes else EMPTY
