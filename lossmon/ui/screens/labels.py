"""Labels view: asks for the meaning of ambiguous metrics, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType

from lossmon.types import AmbiguityReason, AmbiguousTag, RunSnapshot, Series
from lossmon.ui.chart.sparkline import sparkline
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.state.tag_answers import TagAnswers
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, choose, clean, clip, fit, wrap

WIDEST = 60
"""Cells of the small curve."""

HINTS = (
    (0, "enter", "accept"),
    (1, "s", "skip"),
    (2, "←", "back"),
    (3, "esc", "close"),
)


MEANINGS: tuple[tuple[str, str], ...] = (
    ("train_loss", "Train loss"),
    ("eval_loss", "Eval loss"),
    ("eval_higher_is_better", "Eval metric, higher is better"),
    ("eval_lower_is_better", "Eval metric, lower is better"),
    ("train_higher_is_better", "Train metric, higher is better"),
    ("train_lower_is_better", "Train metric, lower is better"),
    ("learning_rate", "Learning rate"),
    ("grad_norm", "Gradient norm"),
    ("just_shown", "None of these, only show it"),
)
"""Each answer with the name that the settings have for it; it always has the same number."""


class LabelsScreen(PageScreen):
    """One name with its curve and what it may be; the next follows the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up,k", "choose(-1)", "up", id="page.meaning_up", show=False, tooltip="Previous choice"
        ),
        Binding(
            "down,j",
            "choose(1)",
            "down",
            id="page.meaning_down",
            show=False,
            tooltip="Next choice",
        ),
        Binding("enter", "take", "accept", id="page.meaning", tooltip="Accept the choice"),
        *(
            Binding(str(at + 1), f"answer({at})", text, id=f"page.is_{name}", tooltip=text)
            for at, (name, text) in enumerate(MEANINGS)
        ),
        Binding("right,s", "skip", "skip", id="page.name_skip", tooltip="Skip this metric"),
        Binding(
            "left,backspace",
            "return",
            "back",
            id="page.name_before",
            tooltip="Back to the metric before",
        ),
    ]

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        return cls(app.session.tag_answers)

    def __init__(self, naming: TagAnswers) -> None:
        super().__init__()
        self.naming = naming
        self.asked: AmbiguousTag | None = None
        """What is asked now; None when nothing is left."""
        self.past: list[AmbiguousTag] = []
        """What was answered or skipped, oldest first."""
        self.chosen = 0
        self._first = 0
        """Line of the first answer."""
        self._run: Path | None = None
        self._waiting: dict[str, AmbiguousTag] = {}
        """What was found to be asked, by tag."""

    # ------------------------------------------------------------------------------- shown

    def present(self, scene: Scene) -> None:
        self.scene = scene
        path = scene.run.path if scene.run else None
        if path != self._run:
            self._run, self.asked, self.past, self._waiting = path, None, [], {}
        if self.asked is None and scene.run is not None:
            self._ask(next(iter(self._left(scene.run)), None))
        super().present(scene)
        self._follow_choice()

    def _left(self, run: RunSnapshot) -> list[AmbiguousTag]:
        """What is still to be asked.

        Once the train loss is known a run has nothing unclear, but who is at it may want to say
        which name is the eval loss.
        """
        for one in self.naming.open(run):
            self._waiting.setdefault(one.tag, one)
        return [one for one in self._waiting.values() if self.naming.is_open(run, one)]

    def _ask(self, unclear: AmbiguousTag | None) -> None:
        self.asked, run = unclear, self.scene.run
        if unclear is not None:
            said = self.naming.said.get(unclear.tag)
            likely = self.naming.likely(run, unclear) if run else unclear.candidates[0]
            self.chosen = place_of(said.meaning if said else likely)

    def heading(self) -> Line:
        run = self.scene.run
        if run is None or self.asked is None:
            return EMPTY
        rest = [one for one in self._left(run) if one.tag != self.asked.tag]
        at = len(self.past) + 1
        place: Line = ((f"{at}/{at + len(rest)}", MUTED),)
        if not self.naming.error:
            return place
        # The reason stands below the answers, where a small screen has no room.
        return (*place, ("  ⚠ ", "warning"), (self.scene.say("not written"), TEXT))

    def lines(self, room: int) -> Sequence[Line]:
        run = self.scene.run
        if run is None:
            return [EMPTY]
        if self.asked is None:
            return self._told(run, room)
        roomy = self.body.size.height >= len(MEANINGS) + 8
        above = self._question(run, self.asked, room, roomy=roomy)
        self._first = len(above)
        answers = [self._answer(at, room) for at in range(len(MEANINGS))]
        below = [EMPTY, *self._error_lines(room)] if self.naming.error else []
        return [*above, *answers, *below]

    def _question(
        self, run: RunSnapshot, unclear: AmbiguousTag, room: int, *, roomy: bool
    ) -> list[Line]:
        """The name, why it is asked for, and its curve; three lines where there is little room."""
        series = next((one for one in run.series if one.tag == unclear.tag), None)
        lines: list[Line] = [((clip(clean(unclear.tag), room), STRONG),)]
        if roomy:
            doubt = self.scene.say(DOUBTS[unclear.reason]).format(f'"{clean(unclear.shown)}"')
            lines += [*(((line, MUTED),) for line in wrap(doubt, room)), EMPTY]
        if series is not None:
            lines += self._curve(series, room)
        return [*lines, EMPTY] if roomy else lines

    def _curve(self, series: Series, room: int) -> list[Line]:
        ascii = not self.scene.terminal.unicode
        bars = sparkline(series.values, min(room, WIDEST), ascii)
        say = self.scene.say
        parts: list[tuple[int, Line]] = [
            (0, _told(say("first"), numbers.value(float(series.values[0])))),
            (0, _told(say("last"), numbers.value(series.last))),
            (1, _told(say("points"), f"{series.n:,}")),
            (2, _told(say("min"), numbers.value(series.minimum))),
            (2, _told(say("max"), numbers.value(series.maximum))),
        ]
        return [choose(parts, room), ((bars, "train"),)]

    def _answer(self, at: int, room: int) -> Line:
        name, text = MEANINGS[at]
        here = at == self.chosen
        said = self.naming.said.get(self.asked.tag) if self.asked else None
        mark = " ✓" if said and said.meaning == name else ""
        return fit(
            (
                ("▸ " if here else "  ", "key"),
                (f"{at + 1} ", "key"),
                (self.scene.say(text), STRONG if here else TEXT),
                (mark, "key"),
            ),
            room,
        )

    def _told(self, run: RunSnapshot, room: int) -> list[Line]:
        """What was said, and where it is kept."""
        say = self.scene.say
        said = {tag: one.meaning for tag, one in self.naming.said.items() if one.run == run.path}
        if not said:
            return [((line, TEXT),) for line in wrap(say("all metrics are labelled"), room)]
        widest = min(room // 2, max(cell_len(clean(tag)) for tag in said))
        lines: list[Line] = []
        for tag, meaning in said.items():
            shown = clip(clean(tag), widest)
            gap = " " * (widest - cell_len(shown) + 2)
            text = clip(say(dict(MEANINGS)[meaning]), room - widest - 2)
            lines.append(((shown, STRONG), (gap + text, TEXT)))
        lines.append(EMPTY)
        if self.naming.error:
            return [*lines, *self._error_lines(room)]
        file = self.naming.file
        kept = say("kept until you quit") if file is None else f"{say('kept in')} {file}"
        return [*lines, *(((line, MUTED),) for line in wrap(clean(kept), room))]

    def _error_lines(self, room: int) -> list[Line]:
        rows = wrap(clean(self.naming.error), room - 2)
        return [
            (("⚠ " if at == 0 else "  ", "warning"), (row, TEXT)) for at, row in enumerate(rows)
        ]

    def edges(self) -> None:
        super().edges()
        hints = HINTS if self.asked else (HINTS[2], HINTS[3]) if self.past else (HINTS[3],)
        say = self.scene.say
        parts = [(at, ((key, "key"), (f" {say(word)}", MUTED))) for at, key, word in hints]
        self.lower.show([(4, self.place()), *parts], "frame")

    def _follow_choice(self) -> None:
        """Keep the chosen answer in view."""
        height, at = self.body.size.height, self._first + self.chosen
        if self.asked and height and not self.body.top <= at < self.body.top + height:
            self._move(at if at < self.body.top else at + 1 - height)

    # ----------------------------------------------------------------------------- actions

    def action_choose(self, rows: int) -> None:
        """Choose the next answer, round the ends."""
        if self.asked is None:
            self.action_scroll(rows)
            return
        self.chosen = (self.chosen + rows) % len(MEANINGS)
        self.present(self.scene)

    def action_take(self) -> None:
        """Give the chosen answer; close the page where nothing is asked."""
        if self.asked is None:
            self.action_back()
        else:
            self.action_answer(self.chosen)

    def action_answer(self, at: int) -> None:
        """Say what the name means, and ask for the next."""
        run = self.scene.run
        if run is not None and self.asked is not None:
            self.naming.answer(run, self.asked.tag, MEANINGS[at][0])
            self._next()

    def action_skip(self) -> None:
        """Ask for the next name; this one is not asked for again."""
        if self.asked is not None:
            self.naming.skip(self.asked.tag)
            self._next()

    def action_return(self) -> None:
        """Ask once more for the name before."""
        if self.past:
            self._ask(self.past.pop())
            self.body.top = 0
            self.present(self.scene)

    def _next(self) -> None:
        if self.asked is not None:
            self.past.append(self.asked)
        self.asked, self.body.top = None, 0
        self.present(self.scene)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self.body)
        if place is None or self.asked is None:
            return
        at = self.body.top + place.y - self._first
        if 0 <= at < len(MEANINGS):
            self.action_answer(at)


def _told(word: str, number: str) -> Line:
    return ((word + " ", MUTED), (number, TEXT))


DOUBTS = {
    AmbiguityReason.CALLED_ALIKE: "its name means the same as {}",
    AmbiguityReason.NO_TOTAL: "one of several losses; none is the total",
    AmbiguityReason.NO_LOSS: "no loss is known in this run; this may be one",
    AmbiguityReason.VAGUE: "its name is not known",
}
"""Why a name is asked for."""


def place_of(meaning: str) -> int:
    """Where the answer stands that comes closest to a name of the settings (`eval_score`)."""
    names = [name for name, _ in MEANINGS]
    if meaning in names:
        return names.index(meaning)
    split = "eval" if meaning.startswith("eval") else "train"
    return names.index(f"{split}_higher_is_better")
