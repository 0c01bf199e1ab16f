"""What the outputs view shows of a selection: a list of prompts, and two answers with heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from lossmon.analysis.outputs import OutputIssue, Prompt, Step, issues, shared, titles
from lossmon.analysis.text_diff import DiffWord, diff
from lossmon.types import TextSample
from lossmon.ui.outputs.selection import A, B, OutputSelection
from lossmon.ui.state.ratings import Rating, Ratings
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import MUTED, STRONG, TEXT, Line, clean
from lossmon.ui.widgets.answers import Answer, Pair, PromptRow

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
        selection: What is looked at.
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
            text = f"{self.say('no prompt holds')} {clean(selection.needle)}"
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
