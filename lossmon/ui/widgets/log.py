"""Log panel: the newest lines of the text log."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, fit
from lossmon.ui.widgets.panel import ScenePanel

_TROUBLE = re.compile(
    r"\b(Traceback|\w*(Error|Exception)\b(?!\s*=)|out of memory|CRITICAL|FATAL|Killed"
    r"|Segmentation fault)"
)
"""Words that a person must not overlook in a log of a training."""

_CARE = re.compile(r"\b(WARN(ING)?|\w*Warning)\b")


class LogTail(ScenePanel, can_focus=True):
    """Follows the log of the run in view."""

    title_word = "log"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: tuple[str, ...] = ()
        self.name_shown = ""

    def show(self, scene: Scene) -> None:
        """Show the log of a scene's run."""
        self.scene = scene
        run = scene.run
        self.lines = run.log if run else ()
        self.set_class(not self.lines, "-empty", update=self.is_mounted)
        name = clean(run.log_name) if run else ""
        if name != self.name_shown:
            self.name_shown = name
            self.border_title = Content(f"{scene.say('log')}  {name}".rstrip())
        self.redraw()

    def wanted_height(self, width: int) -> int:
        return max(1, len(self.lines))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        tail = self.lines[-height:] if height > 0 else ()
        return [log_line(text, width) for text in tail]


def log_line(text: str, room: int) -> Line:
    """One line of a log; errors and warnings stand out."""
    return fit(((" ", TEXT), (clean(text[: 4 * room]), tone(text))), room) if text else EMPTY


def tone(text: str) -> str:
    """The role of a log line: trouble, care, or quiet."""
    if _TROUBLE.search(text):
        return "critical"
    if _CARE.search(text):
        return "warning"
    return MUTED
