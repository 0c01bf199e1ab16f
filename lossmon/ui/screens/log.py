"""Log view: follows, searches, and leads to the chart at the step of a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from textual import events
from textual.binding import Binding, BindingType

from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.screens.base.scene_screen import DetailRequested, TypingScreen
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, fit, pointer
from lossmon.ui.widgets.log import tone


class LogScreen(TypingScreen, PageScreen):
    """The text log of the run in view; typing after `/` searches.

    Args:
        step: Step whose line is chosen first, or None for the newest line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.line_up", show=False, tooltip="Line above"),
        Binding(
            "down,j", "choose(1)", "down", id="page.line_down", show=False, tooltip="Line below"
        ),
        Binding(
            "enter,J",
            "chart",
            "chart",
            id="page.chart",
            tooltip="Show the step of the line in the chart",
        ),
        Binding("e", "error(1)", "error", id="page.error", tooltip="Next error"),
        Binding(
            "E", "error(-1)", "previous error", id="page.error_before", tooltip="Previous error"
        ),
        Binding("slash", "search", "search", id="page.search", tooltip="Search the log"),
        Binding("right", "pan(1)", "scroll", id="page.log_right",
                tooltip="Scroll long lines to the right"),
        Binding("left", "pan(-1)", "scroll", id="page.log_left", show=False,
                tooltip="Scroll long lines to the left"),
        Binding("n", "find(1)", "next", id="page.next", tooltip="Next match"),
        Binding("N", "find(-1)", "previous", id="page.previous", tooltip="Previous match"),
    ]  # fmt: skip

    HINTS = ("page.chart", "page.search", "page.error", "page.log_right", "page.back")

    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        """Open at the step of the view on top; where the log is below, go back to it."""
        step, below = app.view.step if app.view else None, app.below
        if not isinstance(below, cls):
            return cls(step)
        below.ask(step)
        app.pop_screen()
        return None

    def __init__(self, step: int | None = None) -> None:
        super().__init__()
        self.body.follow = True
        self.chosen: int | None = None
        """The chosen line, None while it is the newest one, whatever comes."""
        self.word = ""
        """What the last key could not find."""
        self.skipped = 0
        """Characters at the start of each line that are out of view, to the left."""
        self._asked = step
        self._log: Sequence[str] = ()

    @property
    def needle(self) -> str:
        """What is searched for; empty where nothing is."""
        return self.entry.text

    def ask(self, step: int | None) -> None:
        """Choose the line of a step as soon as the page is on top again."""
        self._asked = step

    def present(self, scene: Scene) -> None:
        log = scene.run.log if scene.run else ()
        if log is not self._log:
            self._move_along(log)
        at_end = self.body.follow or self.body.top >= self.body.last_top()
        self.body.follow = at_end and not self.needle and self.chosen is None
        self.scene = scene
        if self._asked is not None and log:
            from lossmon.monitor.log_steps import LogSteps

            line = LogSteps(scene.run).line_at(self._asked) if scene.run else None
            self._asked = None
            if line is None:
                self.word = scene.say("no line has a step")
            else:
                self.choose(line)
                return
        super().present(scene)

    def _move_along(self, log: Sequence[str]) -> None:
        """Stay with the chosen line and the lines in view while older ones drop out."""
        old, self._log = self._log, log
        if self.chosen is not None:
            from lossmon.monitor.log_steps import moved_index

            here = moved_index(self.chosen, old, log)
            self.body.top = max(0, self.body.top + here - self.chosen)
            self.chosen = here

    def heading(self) -> Line:
        run = self.scene.run
        return ((clean(run.log_name), MUTED),) if run and run.log_name else EMPTY

    def lines(self, room: int) -> Sequence[Line]:
        run = self.scene.run
        if run is None or not run.log:
            return [((self.scene.say("this run has no text log"), MUTED),)]
        at = self.line
        return [self._line(text, room, chosen=index == at) for index, text in enumerate(run.log)]

    @property
    def line(self) -> int:
        """The chosen line."""
        return len(self._log) - 1 if self.chosen is None else self.chosen

    def hints(self) -> list[tuple[int, Line]]:
        # In an empty log there is nothing to look for.
        hints = super().hints()
        if self.is_typing or not self._log:
            return hints if self._log else hints[-1:]
        return hints if self._longest() > self._cells else [*hints[:-2], hints[-1]]

    def place(self) -> Line:
        if self.entry.active:
            return self.entry.line()
        if self.word:
            return ((self.word, "warning"),)
        if self.needle:
            count = len(self.places())
            return (*self.entry.line(), (f"  {count}", MUTED), *_gap(super().place()))
        return super().place()

    def places(self) -> list[int]:
        """Lines that hold what is searched for, in any case of its letters."""
        run = self.scene.run
        needle = self.needle.casefold()
        if run is None or not needle:
            return []
        return [at for at, text in enumerate(run.log) if needle in text.casefold()]

    def choose(self, line: int) -> None:
        """Choose a line and have it in view; the last one stays the newest."""
        count, height = len(self._log), max(1, self.body.size.height)
        if not count:
            return
        line, self.word = max(0, min(line, count - 1)), ""
        self.chosen = None if line == count - 1 and not self.needle else line
        self.body.follow = self.chosen is None
        if not self.body.top <= line < self.body.top + height:
            near = abs(line - self.body.top) <= height + 1
            edge = line if line < self.body.top else line - height + 1
            self.body.top = max(0, edge if near else line - height // 2)
        self.present(self.scene)

    def action_choose(self, lines: int) -> None:
        """Move the choice by some lines."""
        self.choose(self.line + lines)

    def action_scroll(self, lines: int) -> None:
        """The wheel moves the choice, so that it stays in view."""
        self.action_choose(lines)

    def action_page(self, pages: int) -> None:
        """Move the choice by almost a screenful."""
        self.choose(self.line + pages * max(1, self.body.size.height - 1))

    def action_edge(self, side: int) -> None:
        """Choose the first line, or the newest, whatever comes."""
        self.choose(0 if side < 0 else len(self._log))

    def action_error(self, direction: int) -> None:
        """Choose the next line that tells of an error, round the ends."""
        places = [at for at, text in enumerate(self._log) if tone(text) == "critical"]
        if places:
            self._to(places, direction)
            return
        self.word = self.scene.say("no error in these lines")
        self.edges()

    def action_chart(self) -> None:
        """Open the chart at the step that the line tells."""
        from lossmon.monitor.log_steps import LogSteps

        run = self.scene.run
        step = LogSteps(run).step_at(self.line) if run is not None and run.log else None
        if step is None:
            self.word = self.scene.say("no line has a step")
            self.edges()
        else:
            self.post_message(DetailRequested(step=step))

    def on_click(self, event: events.Click) -> None:
        """A click chooses a line, two open its chart."""
        at = self.row_at(event)
        if at is None or at >= len(self._log):
            return
        self.choose(at)
        if event.chain > 1:
            self.action_chart()

    @property
    def _cells(self) -> int:
        """Cells of the text of a line."""
        return max(1, self.room - 2)

    def _longest(self) -> int:
        return max(map(len, self._log), default=0)

    def action_pan(self, direction: int) -> None:
        """Move all lines by half their width, as far as the longest goes."""
        step, last = max(1, self._cells // 2), max(0, self._longest() - self._cells)
        self.skipped = max(0, min(self.skipped + direction * step, -(-last // step) * step))
        self.present(self.scene)

    def action_search(self) -> None:
        """Begin to type what to search for."""
        self.entry.begin()
        self.edges()

    def action_find(self, direction: int) -> None:
        """Go to the next place found, round the ends."""
        places = self.places()
        if not places:
            return
        self._to(places, direction)
        at = self._log[self.line].casefold().find(self.needle.casefold())
        if not self.skipped <= at <= self.skipped + self._cells - len(self.needle):
            self.skipped = at // max(1, self._cells // 2) * max(1, self._cells // 2)
            self.present(self.scene)

    def _to(self, places: Sequence[int], direction: int) -> None:
        """Choose the next of some lines, round the ends."""
        here = self.line
        if direction > 0:
            target = next((place for place in places if place > here), places[0])
        else:
            target = next((place for place in reversed(places) if place < here), places[-1])
        self.choose(target)

    def on_key(self, event: events.Key) -> None:
        if self.entry.handle(event):
            if event.key == "enter":
                self.action_find(1)
            self.present(self.scene)

    def typed(self) -> None:
        self.present(self.scene)

    def _line(self, text: str, room: int, *, chosen: bool) -> Line:
        return fit((pointer(chosen=chosen), *self._text(text, room)), room)

    def _text(self, text: str, room: int) -> Line:
        role = tone(text[: 4 * room])
        text = clean(text[self.skipped : self.skipped + 4 * room])
        if self.skipped and text:
            text = "…" + text[1:]
        needle = self.needle.casefold()
        at = text.casefold().find(needle) if needle else -1
        if at < 0:
            return ((text, role),)
        end = at + len(needle)
        return ((text[:at], role), (text[at:end], "badge-notice"), (text[end:], role))


def _gap(line: Line) -> Line:
    return (("  ", TEXT), *line) if line else EMPTY
