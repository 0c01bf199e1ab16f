"""The outputs: what the model answers to the same prompts at two steps, and what changed."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lossmon.outlook.answers import (
    Oddity,
    Outputs,
    Prompt,
    Step,
    gather,
    oddities,
    place,
    shared,
    titles,
)
from lossmon.outlook.words_changed import Changes, changes
from lossmon.types import TextSample
from lossmon.ui.entry import Entry
from lossmon.ui.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, join
from lossmon.ui.opinions import Opinion, Opinions, tally
from lossmon.ui.scene import Scene
from lossmon.ui.screens.outputs_words import example, missing, summary
from lossmon.ui.screens.view import View
from lossmon.ui.widgets.answers import Answer, Answers, Pair, Row
from lossmon.ui.widgets.keys import key_name
from lossmon.ui.widgets.pane import Edge

GLYPHS = {Opinion.BETTER: "+", Opinion.SAME: "=", Opinion.WORSE: "-"}
"""How a mark is shown in the list: the key that makes it."""

HINTS = ("output.better", "output.same", "output.worse", "output.later")
"""Keys that stand below the answers."""

_compared = lru_cache(8)(changes)


class OutputsView(View):
    """Prompts, and the answers of two steps with the words that changed.

    Args:
        opinions: Where marks are kept.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "prompt", id="output.up", tooltip="Prompt above"),
        Binding("down,j", "choose(1)", "prompt", id="output.down", tooltip="Prompt below"),
        Binding("home,g", "edge(-1)", "first", id="output.first", tooltip="First prompt"),
        Binding("end,G", "edge(1)", "last", id="output.last", tooltip="Last prompt"),
        Binding("n", "next", "next", id="output.next", tooltip="Next prompt without a mark"),
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
        Binding("equals_sign", "mark('same')", "same", id="output.same", tooltip="B is as good"),
        Binding("minus", "mark('worse')", "worse", id="output.worse", tooltip="B is worse"),
        Binding("x", "mark('')", "clear", id="output.clear", tooltip="Take the mark back"),
        Binding("pageup,b", "page(-1)", "up", id="output.page_up", tooltip="Answers up"),
        Binding("pagedown", "page(1)", "down", id="output.page_down", tooltip="Answers down"),
        Binding("enter", "whole", "whole", id="output.whole", tooltip="B alone, A alone, both"),
        Binding("slash", "filter", "filter", id="output.filter", tooltip="Filter the prompts"),
        Binding("escape", "back", "back", id="output.back", tooltip="Go back"),
    ]

    title_word = "outputs"

    def __init__(self, opinions: Opinions) -> None:
        super().__init__()
        self.scene = Scene()
        self.opinions = opinions
        self.entry = Entry("/")
        self.outputs = Outputs()
        self.chosen: Prompt | None = None
        self.steps: list[Step | None] = [None, None]
        """The steps A and B that the user chose."""
        self.follows = [True, True]
        """Whether A and B go along with the newest steps, until the user chooses others."""
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
        return self.steps[1] if self.outputs.prompts else None

    # --------------------------------------------------------------------------- data in

    def present(self, scene: Scene) -> None:
        self.scene = scene
        run = scene.run
        path, samples = (run.path, run.samples) if run else (None, ())
        if path != self._run:
            self._begin(path)
        elif samples is self._samples:
            # What else is new of the run is not to be seen here.
            return
        if samples is not self._samples:
            self._samples = samples
            self.outputs = gather(samples)
            self._keep_place()
        self._show()

    def on_resize(self) -> None:
        self._show()

    def _begin(self, path: object) -> None:
        """Another run: nothing of the one before holds."""
        self._run, self._samples = path, None
        self.chosen, self.alone, self.follows = None, None, [True, True]
        self.body.top = 0

    def _keep_place(self) -> None:
        """Stay with the prompt and the steps in view, though the answers are others."""
        prompts = self.prompts()
        if self.chosen is not None:
            before = (self.chosen.tag, self.chosen.text)
            same = (one for one in prompts if (one.tag, one.text) == before)
            self.chosen = next(same, None)
        if self.chosen is None:
            self.chosen = prompts[0] if prompts else None
        self._settle_steps()

    def _settle_steps(self) -> None:
        steps = self._choices()
        if not steps:
            return
        newest = [steps[max(0, len(steps) - 2)], steps[-1]]
        for side in (0, 1):
            if self.follows[side]:
                self.steps[side] = newest[side]
            elif self.steps[side] not in steps:
                # Its answers were thinned away: the nearest that are kept.
                wanted = place(self.steps[side])
                self.steps[side] = min(steps, key=lambda step: abs(place(step) - wanted))

    def _choices(self) -> list[Step]:
        """The steps of the chosen prompt; of another tag there are other steps."""
        if self.chosen is None:
            return list(self.outputs.steps)
        tag = self.chosen.tag
        told = {s for one in self.outputs.prompts if one.tag == tag for s in one.answers}
        return sorted(told, key=place)

    def prompts(self) -> list[Prompt]:
        """The prompts that the filter leaves."""
        needle = self.entry.text.casefold()
        return [
            one
            for one in self.outputs.prompts
            if not needle or needle in (one.text or one.tag).casefold()
        ]

    # ----------------------------------------------------------------------------- show

    def _show(self) -> None:
        self.body.set_class(not self.outputs.prompts, "-bare")
        if self.scene.run is None or not self.outputs.prompts:
            self.body.show(Pair(message=tuple(missing(self.scene))))
        else:
            self.body.show(self._pair())
        self.edges()

    def _pair(self) -> Pair:
        prompts, chosen = self.prompts(), self.chosen
        if chosen is None or chosen not in prompts:
            word = self.scene.say("no prompt holds")
            return Pair(message=(((f"{word} {clean(self.entry.text)}", MUTED),),))
        named = titles(prompts)
        rows = tuple(self._row(one, name) for one, name in zip(prompts, named, strict=True))
        pair = Pair(
            rows=rows,
            chosen=prompts.index(chosen),
            prompt=(self.scene.say("prompt"), self._asked(chosen, named[prompts.index(chosen)])),
            expected=(self.scene.say("expected"), self._expected(chosen)),
            answers=self._answers(chosen),
            plain=self.scene.terminal.plain,
        )
        if self.alone is not None:
            return replace(pair, answers=(pair.answers[self.alone],), alone=True)
        # Of one step alone there is one answer to show.
        return pair if len(self._choices()) > 1 else replace(pair, answers=pair.answers[1:])

    def _asked(self, prompt: Prompt, title: str) -> str:
        if not prompt.text:
            return ""
        return title if self.alone is None else prompt.text

    def _expected(self, prompt: Prompt) -> str:
        told = [prompt.answers[step] for step in self.steps if step in prompt.answers]
        return next((sample.expected for sample in reversed(told) if sample.expected), "")

    def _row(self, prompt: Prompt, title: str) -> Row:
        before, after = self.steps
        there = before in prompt.answers and after in prompt.answers
        return Row(title, GLYPHS.get(self._opinion(prompt), " "), there)  # type: ignore[arg-type]

    def _opinion(self, prompt: Prompt) -> Opinion | None:
        run = self.scene.run
        if run is None or self.steps[0] == self.steps[1]:
            return None
        return self.opinions.of(run.path, prompt, self.steps[0], self.steps[1])

    def _answers(self, prompt: Prompt) -> tuple[Answer, ...]:
        samples = [prompt.answers.get(step) for step in self.steps]
        old, new = samples
        told: Changes | None = None
        if old is not None and new is not None:
            told = _compared(old.output, new.output)
        elif old is not None or new is not None:
            only = old or new
            told = _compared(only.output, only.output) if only else None
        words = (told.before, told.after) if told else ((), ())
        return tuple(
            Answer(
                self._head(prompt, side, same=bool(old and new and old.output == new.output)),
                words[side] if samples[side] is not None else None,
                self.scene.say("no answer at this step"),
            )
            for side in (0, 1)
        )

    def _head(self, prompt: Prompt, side: int, *, same: bool) -> Line:
        say, step = self.scene.say, self.steps[side]
        parts: list[Line] = [(("AB"[side], "key"), (" ", TEXT), (self._named(step), STRONG))]
        if side and step == self._choices()[-1]:
            parts.append(((say("newest"), MUTED),))
        if side and same and self.steps[0] != self.steps[1]:
            parts.append(((say("same text"), MUTED),))
        opinion = self._opinion(prompt) if side else None
        if opinion is not None:
            parts.append(((f"{GLYPHS[opinion]} {say(opinion.value)}", "key"),))
        for odd in oddities(self.outputs, prompt, step):
            parts.append(((self._worded(odd, prompt.answers[step]), "notice"),))
        return join(parts, (" · ", MUTED))

    def _worded(self, odd: Oddity, sample: TextSample) -> str:
        if odd is not Oddity.COMMON:
            return self.scene.say(odd.value)
        alike, of = shared(self.outputs, sample)
        return self.scene.say("same answer to {alike} of {of} prompts").format(alike=alike, of=of)

    def _named(self, step: Step) -> str:
        say = self.scene.say
        return say("no step") if step is None else f"{say('step')} {step:,}"

    def edges(self) -> None:
        """Bring title, tally and hint up to date."""
        say, run = self.scene.say, self.scene.run
        parts: list[tuple[int, Line]] = [(0, ((say("outputs"), "strong"),))]
        if run is not None and self.outputs.prompts and self.steps[0] != self.steps[1]:
            told = tally(
                self.opinions, run.path, self.outputs.prompts, self.steps[0], self.steps[1]
            )
            parts += summary(
                told, self._named(self.steps[1]), self.steps[0], say, short=self.size.width < 76
            )
        elif run is not None:
            parts.append((1, ((clean(run.name), TEXT),)))
        self.upper.show(parts, "frame")
        hint: Line = (("esc", "key"), (f" {say('back')}", MUTED))
        self.lower.show([(2, self._keys()), (1, self._place()), (0, hint)], "frame")

    def _keys(self) -> Line:
        if self.entry.active or self.entry.text:
            return self.entry.line()
        trouble = self.said or self.opinions.trouble
        if trouble:
            return ((clean(trouble), "warning"),)
        if not self.outputs.prompts:
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # While a word is typed, its letters are letters.
        return not self.entry.active or action in ("quit", "help_quit")

    def on_key(self, event: events.Key) -> None:
        if self.entry.take(event):
            self._filtered()

    def on_paste(self, event: events.Paste) -> None:
        if self.entry.active:
            event.stop()
            self.entry.paste(event.text)
            self._filtered()

    def _filtered(self) -> None:
        prompts = self.prompts()
        if self.chosen not in prompts:
            self._look_at(prompts[0] if prompts else self.chosen)
        self._show()

    def _look_at(self, prompt: Prompt | None) -> None:
        self.chosen, self.said, self.body.top = prompt, "", 0
        self._settle_steps()
        self._show()

    def _at(self) -> int:
        prompts = self.prompts()
        return prompts.index(self.chosen) if self.chosen in prompts else 0

    def action_choose(self, rows: int) -> None:
        """Go to the prompt above or below."""
        prompts = self.prompts()
        if prompts:
            self._look_at(prompts[max(0, min(len(prompts) - 1, self._at() + rows))])

    def action_edge(self, side: int) -> None:
        """Go to the first or the last prompt."""
        prompts = self.prompts()
        if prompts:
            self._look_at(prompts[0 if side < 0 else -1])

    def action_next(self) -> None:
        """Go to the next prompt that has two answers and no mark, round the end."""
        prompts, at = self.prompts(), self._at()
        for one in (*prompts[at + 1 :], *prompts[: at + 1]):
            if self._opinion(one) is None and all(step in one.answers for step in self.steps):
                self._look_at(one)
                return
        self.said = self.scene.say("every prompt has a mark")
        self.edges()

    def action_step(self, side: int, by: int) -> None:
        """Take an earlier or a later step for A or B."""
        steps = self._choices()
        if not steps or self.steps[side] not in steps:
            return
        at = steps.index(self.steps[side])
        self.steps[side] = steps[max(0, min(len(steps) - 1, at + by))]
        # At its newest place B goes on with the newest, as it began.
        self.follows[side] = self.steps[side] == steps[max(0, len(steps) - 2 + side)]
        self.body.top, self.said = 0, ""
        self._show()

    def action_mark(self, word: str) -> None:
        """Say how B is beside A; empty takes it back."""
        run, prompt = self.scene.run, self.chosen
        before, after = self.steps
        if run is None or prompt is None:
            return
        if before == after or before not in prompt.answers or after not in prompt.answers:
            self.said = self.scene.say("there are no two answers to judge")
            self.edges()
            return
        self.said = ""
        self.opinions.mark(run.path, prompt, before, after, Opinion(word) if word else None)
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
        if not self.outputs.prompts:
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
            self._filtered()
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
        spot = event.get_content_offset(self.body)
        if spot is not None and spot.x < room and spot.y < height:
            prompts = self.prompts()
            if first + spot.y < len(prompts):
                self._look_at(prompts[first + spot.y])

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, way: int) -> None:
        room, height, _ = self.body.listed
        spot = event.get_content_offset(self.body)
        if spot is not None and spot.x < room and spot.y < height:
            self.action_choose(way)
        else:
            self._scroll(3 * way)
