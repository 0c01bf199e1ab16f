"""The selection that is looked at among the outputs: a prompt, and the two steps A and B."""

from __future__ import annotations

from lossmon.analysis.outputs import ModelOutputs, Prompt, Step, position

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

    def take(self, outputs: ModelOutputs) -> None:
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
