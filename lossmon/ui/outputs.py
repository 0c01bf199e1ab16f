"""Outputs without a widget: a list of prompts, two answers with heads, and the tally of ratings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from lossmon.analysis.outputs import (
    ModelOutputs,
    OutputIssue,
    Prompt,
    Step,
    issues,
    position,
    shared,
    titles,
)
from lossmon.analysis.text_diff import DiffWord, diff
from lossmon.types import TextSample
from lossmon.ui.scene import Scene
from lossmon.ui.state.ratings import Rating, Ratings, Tally
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean
from lossmon.ui.widgets.answers import Answer, Pair, PromptRow

A, B = 0, 1
"""The sides: the earlier answer, and the one that is judged beside it."""


class OutputSelection:
    """Stays where the user put it while answers come and go.

    Attributes:
        outputs: All answers of the run.
        needle: What a prompt must hold to be listed.
        chosen: The prompt that is looked at, None where there is none.
        steps: The steps of A and B.
        follows: Whether A and B go along with the newest steps, until the user chooses others.
    """

    def __init__(self) -> None:
        self.outputs = ModelOutputs()
        self.needle = ""
        self.chosen: Prompt | None = None
        self.steps: list[Step] = [None, None]
        self.follows = [True, True]

    def update(self, outputs: ModelOutputs) -> None:
        """Stay with the prompt and the steps, though the answers are others."""
        self.outputs = outputs
        prompts, before = self.prompts(), self.chosen
        if before is not None:
            same = (one for one in prompts if (one.tag, one.text) == (before.tag, before.text))
            self.chosen = next(same, None)
        self.go(self.chosen or (prompts[0] if prompts else None))

    def prompts(self) -> list[Prompt]:
        """The prompts that hold what they must."""
        needle = self.needle.casefold()
        return [
            one
            for one in self.outputs.prompts
            if not needle or needle in (one.text or one.tag).casefold()
        ]

    def choices(self) -> list[Step]:
        """The steps of the chosen prompt and of those that were logged with it."""
        if self.chosen is None:
            return list(self.outputs.steps)
        tag = self.chosen.tag
        known = {step for one in self.outputs.prompts if one.tag == tag for step in one.outputs}
        return sorted(known, key=position)

    @property
    def at(self) -> int:
        """Where the chosen prompt stands in the list."""
        prompts = self.prompts()
        return prompts.index(self.chosen) if self.chosen in prompts else 0

    def go(self, prompt: Prompt | None) -> None:
        """Look at a prompt."""
        self.chosen = prompt
        steps = self.choices()
        if not steps:
            return
        for side in (A, B):
            if self.follows[side]:
                self.steps[side] = _newest(steps, side)
            elif self.steps[side] not in steps:
                # Its answers were thinned away: the nearest that are kept.
                wanted = position(self.steps[side])
                self.steps[side] = min(steps, key=lambda step: abs(position(step) - wanted))

    def filter(self, needle: str) -> None:
        """List only prompts that hold a text; go to the first where the chosen one does not."""
        self.needle = needle
        prompts = self.prompts()
        if prompts and self.chosen not in prompts:
            self.go(prompts[0])

    def move(self, rows: int) -> None:
        """Go up or down in the list."""
        prompts = self.prompts()
        if prompts:
            self.go(prompts[max(0, min(len(prompts) - 1, self.at + rows))])

    def turn(self, side: int, by: int) -> None:
        """Take an earlier or a later step for A or B."""
        steps = self.choices()
        if self.steps[side] in steps:
            at = steps.index(self.steps[side])
            self.steps[side] = steps[max(0, min(len(steps) - 1, at + by))]
            # Where it stood at first, it goes on with the newest.
            self.follows[side] = self.steps[side] == _newest(steps, side)

    def has_both(self, prompt: Prompt) -> bool:
        """Whether a prompt has two answers to compare."""
        return self.steps[A] != self.steps[B] and all(step in prompt.outputs for step in self.steps)


def _newest(steps: list[Step], side: int) -> Step:
    """The newest step for B, the one before it for A."""
    return steps[max(0, len(steps) - 2 + side)]


GLYPHS: dict[Rating | None, str] = {
    Rating.BETTER: "+",
    Rating.SAME: "=",
    Rating.WORSE: "-",
    None: " ",
}
"""How a mark is shown in the list: the key that makes it."""

MOST = 200_000
"""Characters of an answer that are compared and shown: several times what a model writes in one
go, and all that can be broken into lines before a key seems to be lost."""

_compared = lru_cache(8)(diff)


class Pairing:
    """Puts a selection into what the panel shows.

    Args:
        ratings: What the user thinks of the answers.
        run: The run they belong to.
        say: Puts a word of the screen into the user's language.
    """

    def __init__(
        self, selection: OutputSelection, ratings: Ratings, run: Path, say: Callable[[str], str]
    ) -> None:
        self.selection, self.ratings, self.run, self.say = selection, ratings, run, say

    def pair(self, alone: int | None) -> Pair:
        """All that is to be shown; of two answers one where it is `alone`."""
        selection, chosen = self.selection, self.selection.chosen
        prompts = selection.prompts()
        if chosen is None or chosen not in prompts:
            text = f"{self.say('no prompt contains')} {clean(selection.needle)}"
            return Pair(message=(((text, MUTED),),))
        names = titles(prompts)
        title = names[prompts.index(chosen)] if chosen.text else ""
        pair = Pair(
            rows=tuple(self._row(one, name) for one, name in zip(prompts, names, strict=True)),
            chosen=prompts.index(chosen),
            prompt=(self.say("prompt"), title if alone is None else chosen.text),
            expected=(self.say("expected"), _expected(chosen, selection.steps)),
            answers=self._answers(chosen),
        )
        if alone is not None:
            return replace(pair, answers=(pair.answers[alone],), alone=True)
        # Of one step alone there is one answer to show.
        return pair if len(selection.choices()) > 1 else replace(pair, answers=pair.answers[B:])

    def opinion(self, prompt: Prompt) -> Rating | None:
        """What the user thinks of B beside A, None if nothing."""
        before, after = self.selection.steps
        return None if before == after else self.ratings.of(self.run, prompt, before, after)

    def step(self, step: Step) -> str:
        """A step in words."""
        return self.say("no step") if step is None else f"{self.say('step')} {step:,}"

    def _row(self, prompt: Prompt, title: str) -> PromptRow:
        return PromptRow(title, GLYPHS[self.opinion(prompt)], self.selection.has_both(prompt))

    def _answers(self, prompt: Prompt) -> tuple[Answer, Answer]:
        old, new = (prompt.outputs.get(step) for step in self.selection.steps)
        before, after = _words(old, new)
        absent = self.say("no answer at this step")
        return (
            Answer(self._head(prompt, A), before, absent),
            Answer(self._head(prompt, B), after, absent),
        )

    def _head(self, prompt: Prompt, side: int) -> tuple[tuple[int, Line], ...]:
        steps, say = self.selection.steps, self.say
        step = steps[side]
        parts: list[tuple[int, Line]] = [
            (0, (("AB"[side], "key"), (" ", TEXT), (self.step(step), STRONG)))
        ]
        if side == B:
            if step is not None and step == self.selection.choices()[-1]:
                parts.append((4, ((say("newest"), MUTED),)))
            if self.selection.has_both(prompt) and _is_same(*(prompt.outputs[at] for at in steps)):
                parts.append((3, ((say("same text"), MUTED),)))
            if (opinion := self.opinion(prompt)) is not None:
                parts.append((2, ((f"{GLYPHS[opinion]} {say(opinion.value)}", "key"),)))
        sample = prompt.outputs.get(step)
        if sample is not None and len(sample.output) > MOST:
            cut = say("first {shown} of {all} characters")
            cut_note = cut.format(shown=numbers.si(MOST), all=numbers.si(len(sample.output)))
            parts.append((1, ((cut_note, "notice"),)))
        for odd in issues(self.selection.outputs, prompt, step):
            parts.append((1, ((self._odd(odd, prompt.outputs[step]), "notice"),)))
        return tuple(parts)

    def _odd(self, odd: OutputIssue, sample: TextSample) -> str:
        if odd is not OutputIssue.COMMON:
            return self.say(odd.value)
        alike, of = shared(self.selection.outputs, sample)
        return self.say("same answer to {alike} of {of} prompts").format(alike=alike, of=of)


def _expected(prompt: Prompt, steps: list[Step]) -> str:
    samples = [prompt.outputs[step] for step in steps if step in prompt.outputs]
    return next((sample.expected for sample in reversed(samples) if sample.expected), "")


def _is_same(old: TextSample, new: TextSample) -> bool:
    return old.output == new.output


def _beginning(text: str) -> str:
    return text if len(text) <= MOST else text[:MOST] + "…"


def _words(
    old: TextSample | None, new: TextSample | None
) -> tuple[tuple[DiffWord, ...] | None, tuple[DiffWord, ...] | None]:
    """The words of two answers; nothing changed in one that stands alone."""
    known = old or new
    if known is None:
        return None, None
    diffs = _compared(_beginning((old or known).output), _beginning((new or known).output))
    return diffs.before if old else None, diffs.after if new else None


EXAMPLE = """\
import json
def keep(step, prompt, output):
    row = dict(step=step,
               prompt=prompt,
               output=output)
    path = "output/samples.jsonl"
    with open(path, "a") as file:
        print(json.dumps(row),
              file=file)"""
"""Lines of 34 characters at most, so that a side pane shows them whole."""

WHOLLY = "better on {better} of {judged} prompts ({worse} worse, {same} same)"
PARTLY = "better on {better} of {judged} rated ({worse} worse, {same} same)"


def example() -> str:
    """Python that keeps answers where this view finds them."""
    return EXAMPLE + "\n"


def missing(scene: Scene, height: int) -> list[Line]:
    """What to say where the run has no texts, without blank lines where the rows are few."""
    say = scene.say
    lines: list[Line] = [
        ((say("this run logs no outputs yet"), STRONG),),
        ((say("call this at every eval:"), MUTED),),
        EMPTY,
        *(((line, TEXT),) for line in EXAMPLE.splitlines()),
        EMPTY,
        (("enter", "key"), (" " + say("copies it"), MUTED)),
        EMPTY,
        ((say("or log texts or tables with"), MUTED),),
        ((say("TensorBoard, W&B or SwanLab"), MUTED),),
        ((say("(TRL's parquet is not read)"), MUTED),),
    ]
    return lines if len(lines) <= height else [line for line in lines if line]


def summary(
    marks: Tally, after: str, before: Step, say: Callable[[str], str], *, short: bool
) -> list[tuple[int, Line]]:
    """What the marks say, in parts by importance: an honest count of what was judged."""
    if short:
        brief = f"+{marks.better} ={marks.same} -{marks.worse}"
        return [(1, ((say("{counts} of {both}").format(counts=brief, both=marks.both), TEXT),))]
    old = say("no step") if before is None else f"{before:,}"
    against = say("{after} against {before}").format(after=after, before=old)
    parts: list[tuple[int, Line]] = [(2, ((against, MUTED),))]
    if not marks.judged:
        text = _one(say("{both} prompts, none rated").format(both=marks.both))
        return [*parts, (1, ((text, MUTED),))]
    left = marks.both - marks.judged
    text = say(PARTLY if left else WHOLLY)
    counts = {"better": marks.better, "worse": marks.worse, "same": marks.same}
    parts.append((1, ((_one(text.format(judged=marks.judged, **counts)), TEXT),)))
    if left:
        parts.append((1, ((say("{left} not rated").format(left=left), MUTED),)))
    return parts


def _one(text: str) -> str:
    """English in the singular."""
    return re.sub(r"\b1 prompts\b", "1 prompt", text)
