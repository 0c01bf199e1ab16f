"""Outputs view: answers to the same prompts at two steps, and what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lossmon.analysis.outputs import collect
from lossmon.types import TextSample
from lossmon.ui.outputs import B, OutputSelection, Pairing, example, missing, summary
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import TypingScreen
from lossmon.ui.state.ratings import Rating, Ratings, tally
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, join
from lossmon.ui.widgets.answers import Answers, Pair
from lossmon.ui.widgets.charts.pane import Edge
from lossmon.ui.widgets.keys import key_name

NARROW = 76
"""Columns below which the tally is in figures: its sentence would not fit."""

HINTS = ("output.better", "output.same", "output.worse", "output.later")
"""Keys that stand below the answers."""


class OutputsScreen(TypingScreen):
    """Prompts, and the answers of two steps with the words that changed.

    Args:
        ratings: Where marks are kept.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "prompt", id="output.up", tooltip="Previous prompt"),
        Binding("down,j", "choose(1)", "prompt", id="output.down", tooltip="Next prompt"),
        Binding("home,g", "edge(-1)", "first", id="output.first", tooltip="First prompt"),
        Binding("end,G", "edge(1)", "last", id="output.last", tooltip="Last prompt"),
        Binding("n", "next", "next", id="output.next", tooltip="Next unrated prompt"),
        Binding("left", "step(1,-1)", "step", id="output.earlier", tooltip="B one step earlier"),
        Binding("right", "step(1,1)", "step", id="output.later", tooltip="B one step later"),
        Binding(
            "shift+left,less_than_sign",
            "step(0,-1)",
            "step A",
            id="output.a_earlier",
            tooltip="A one step earlier",
        ),
        Binding(
            "shift+right,greater_than_sign",
            "step(0,1)",
            "step A",
            id="output.a_later",
            tooltip="A one step later",
        ),
        Binding("plus", "mark('better')", "better", id="output.better", tooltip="B is better"),
        Binding(
            "equals_sign", "mark('same')", "same", id="output.same", tooltip="B is equally good"
        ),
        Binding("minus", "mark('worse')", "worse", id="output.worse", tooltip="B is worse"),
        Binding("x", "mark('')", "clear", id="output.clear", tooltip="Undo the rating"),
        Binding(
            "pageup,b,ctrl+u",
            "page(-1)",
            "up",
            id="output.page_up",
            tooltip="Scroll the outputs up",
        ),
        Binding(
            "pagedown,ctrl+d",
            "page(1)",
            "down",
            id="output.page_down",
            tooltip="Scroll the outputs down",
        ),
        Binding("enter", "whole", "whole", id="output.whole", tooltip="Show B, A or both"),
        Binding("slash", "filter", "filter", id="output.filter", tooltip="Filter the prompts"),
        Binding("escape", "back", "back", id="output.back", tooltip="Go back"),
    ]

    prompt = "/"

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        return cls(app.session.ratings)

    def __init__(self, ratings: Ratings) -> None:
        super().__init__()
        self.ratings = ratings
        self.selection = OutputSelection()
        self.alone: int | None = None
        """Which answer has all the room, None where both are shown."""
        self.said = ""
        """What came of the last key, where that is not to be seen."""
        self._samples: tuple[TextSample, ...] | None = None
        self._run: object = self
        self.upper = Edge("╭╮", left=True)
        self.body = Answers()
        self.lower = Edge("╰╯", left=False)

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.body
        yield self.lower

    @property
    def step(self) -> int | None:
        return self.selection.steps[B] if self.selection.outputs.prompts else None

    # --------------------------------------------------------------------------- data in

    def present(self, scene: Scene) -> None:
        self.scene = scene
        run = scene.run
        path, samples = (run.path, run.samples) if run else (None, ())
        if path == self._run and samples is self._samples:
            # What else is new of the run is not to be seen here.
            return
        if path != self._run:
            # Nothing of the run before holds, but what was typed.
            self._run, self.alone, self.selection = path, None, OutputSelection()
            self.selection.needle, self.body.top = self.entry.text, 0
        self._samples = samples
        self.selection.update(collect(samples))
        self._show()

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        self.body.set_class(not self.selection.outputs.prompts, "-bare")
        pairing = self._pairing()
        if pairing is None:
            self.body.show(Pair(message=tuple(missing(self.scene, self.size.height - 2))))
        else:
            self.body.show(replace(pairing.pair(self.alone), plain=self.scene.terminal.plain))
        self.edges()

    def _pairing(self) -> Pairing | None:
        run = self.scene.run
        if run is None or not self.selection.outputs.prompts:
            return None
        return Pairing(self.selection, self.ratings, run.path, self.scene.say)

    def edges(self) -> None:
        """Bring title, tally and hint up to date."""
        say, run, pairing = self.scene.say, self.scene.run, self._pairing()
        parts: list[tuple[int, Line]] = [(0, ((say("outputs"), "strong"),))]
        if run is not None:
            parts.append((4, ((clean(run.name), TEXT),)))
        before, after = self.selection.steps
        if run is not None and pairing is not None and before != after:
            marks = tally(self.ratings, run.path, self.selection.outputs.prompts, before, after)
            short = self.size.width < NARROW
            parts += summary(marks, pairing.step(after), before, say, short=short)
        self.upper.show(parts, "frame")
        hint: Line = (("esc", "key"), (f" {say('back')}", MUTED))
        self.lower.show([(2, self._keys()), (1, self._place()), (0, hint)], "frame")

    def _keys(self) -> Line:
        if self.entry.active or self.entry.text:
            return self.entry.line()
        error = self.said or self.ratings.error
        if error:
            return ((clean(error), "warning"),)
        if not self.selection.outputs.prompts:
            return EMPTY
        keys = self.app.active_bindings
        hints: list[Line] = []
        for name in HINTS:
            active = next((one for one in keys.values() if one.binding.id == name), None)
            if active is not None:
                word = f" {self.scene.say(active.binding.description)}"
                hints.append(((key_name(active.binding), "key"), (word, MUTED)))
        return join(hints, ("  ", TEXT))

    def _place(self) -> Line:
        depth, rows = self.body.depth, self.body.rows
        if self.body.pair.message or depth <= rows:
            return EMPTY
        end = min(depth, self.body.top + rows)
        return ((f"{self.body.top + 1}-{end}/{depth}", MUTED),)

    # ---------------------------------------------------------------------------- actions

    def typed(self) -> None:
        self.selection.filter(self.entry.text)
        self._moved()

    def _moved(self) -> None:
        """Show another selection, from the top of its answers."""
        self.said, self.body.top = "", 0
        self._show()

    def action_choose(self, rows: int) -> None:
        """Go to the prompt above or below."""
        self.selection.move(rows)
        self._moved()

    def action_edge(self, side: int) -> None:
        """Go to the first or the last prompt."""
        self.selection.move(side * len(self.selection.outputs.prompts))
        self._moved()

    def action_next(self) -> None:
        """Go to the next prompt that has two answers and no mark, round the end."""
        prompts, at, pairing = self.selection.prompts(), self.selection.at, self._pairing()
        for one in (*prompts[at + 1 :], *prompts[: at + 1]):
            if pairing and self.selection.has_both(one) and pairing.opinion(one) is None:
                self.selection.go(one)
                self._moved()
                return
        self.said = self.scene.say("every prompt is rated")
        self.edges()

    def action_step(self, side: int, by: int) -> None:
        """Take an earlier or a later step for A or B."""
        self.selection.turn(side, by)
        self._moved()

    def action_mark(self, word: str) -> None:
        """Say how B is beside A; empty takes it back."""
        run, prompt = self.scene.run, self.selection.chosen
        if run is None or prompt is None or not self.selection.has_both(prompt):
            self.said = self.scene.say("a rating needs two answers")
            self.edges()
            return
        self.said = ""
        before, after = self.selection.steps
        self.ratings.mark(run.path, prompt, before, after, Rating(word) if word else None)
        self._show()

    def action_page(self, pages: int) -> None:
        """Move both answers by almost a screenful."""
        self._scroll(pages * max(1, self.body.rows - 1))

    def _scroll(self, lines: int) -> None:
        self.body.top = max(0, min(self.body.last_top(), self.body.top + lines))
        self.body.redraw()
        self.edges()

    def action_whole(self) -> None:
        """B alone, A alone, both again; copies the example where there is nothing to see."""
        if not self.selection.outputs.prompts:
            self.app.copy_to_clipboard(example())
            self.said = self.scene.say("copied")
        else:
            following: dict[int | None, int | None] = {None: 1, 1: 0, 0: None}
            self.alone, self.body.top = following[self.alone], 0
        self._show()

    def action_filter(self) -> None:
        """Begin to type what the prompts must hold."""
        self.entry.begin()
        self.edges()

    def action_back(self) -> None:
        """Leave the filter, else the lone answer, else the view."""
        if self.entry.text:
            self.entry.clear()
            self.typed()
        elif self.alone is not None:
            self.alone, self.body.top = None, 0
            self._show()
        else:
            self.app.pop_screen()

    # ------------------------------------------------------------------------------ mouse

    def on_click(self, event: events.Click) -> None:
        if event.widget is not self.body:
            return
        room, height, first = self.body.listed
        at = event.get_content_offset(self.body)
        if at is not None and at.x < room and at.y < height:
            prompts = self.selection.prompts()
            if first + at.y < len(prompts):
                self.selection.go(prompts[first + at.y])
                self._moved()
        elif event.chain > 1:
            self.action_whole()

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        room, height, _ = self.body.listed
        at = event.get_content_offset(self.body)
        if at is not None and at.x < room and at.y < height:
            self.action_choose(way)
        else:
            self._scroll(3 * way)
