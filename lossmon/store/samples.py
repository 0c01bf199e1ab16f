"""The texts that a run logged, of each prompt one a step, thinned to a bound."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lossmon.types import TextSample

MOST_STEPS = 60
"""Steps that are kept of a tag: more cannot be told apart by a person who leafs through them."""

MOST_SAMPLES = 4000
"""Texts that are kept of a run: sixty steps of some sixty prompts."""

MOST_CHARACTERS = 16_000_000
"""Characters that are kept of a run, 16 to 64 MB."""

FEWEST_STEPS = 3
"""Steps that are never thinned: the first, the newest and the one before it."""

_Step = dict[str, tuple[int, TextSample]]
"""By prompt: the file it came from, and the sample."""


class SampleStore:
    """Keeps the first step, the newest two, and between them those that stand widest apart.

    A prompt that is logged again at a step replaces what it gave there.
    """

    def __init__(self) -> None:
        self._tags: dict[str, dict[float, _Step]] = {}
        self._count = 0
        self._characters = 0
        self._all: tuple[TextSample, ...] | None = ()

    def take(self, file: int, samples: Iterable[TextSample], *, anew: bool = False) -> None:
        """Take in what a file gave.

        Args:
            file: Number of the file.
            samples: Oldest first.
            anew: What the file gave before is void.
        """
        if anew:
            self.clear(file)
        for sample in samples:
            self._add(file, sample)

    def clear(self, file: int) -> None:
        """Forget what a file gave."""
        for tag, steps in list(self._tags.items()):
            for step, prompts in list(steps.items()):
                for prompt in [one for one, (source, _) in prompts.items() if source == file]:
                    self._drop(tag, step, prompt)

    def all(self) -> tuple[TextSample, ...]:
        """Every sample: prompts in the order in which they came, of each the steps ascending.

        The very same tuple while nothing came.
        """
        if self._all is None:
            found: dict[tuple[str, str], list[TextSample]] = {}
            for tag, steps in self._tags.items():
                for step in sorted(steps):
                    for prompt, (_, sample) in steps[step].items():
                        found.setdefault((tag, prompt), []).append(sample)
            self._all = tuple(sample for samples in found.values() for sample in samples)
        return self._all

    def _add(self, file: int, sample: TextSample) -> None:
        step = math.inf if sample.step is None else float(sample.step)
        steps = self._tags.setdefault(sample.tag, {})
        prompts = steps.setdefault(step, {})
        if sample.prompt in prompts:
            self._weigh(prompts[sample.prompt][1], -1)
        prompts[sample.prompt] = (file, sample)
        self._weigh(sample, 1)
        self._all = None
        if len(steps) > MOST_STEPS:
            self._thin(sample.tag)
        while self._count > MOST_SAMPLES or self._characters > MOST_CHARACTERS:
            if not self._thin(max(self._tags, key=lambda tag: len(self._tags[tag]))):
                # So many prompts at one step: the first of them are the ones to follow.
                self._drop(sample.tag, step, sample.prompt)
                return

    def _thin(self, tag: str) -> bool:
        """Drop the step that stands closest between its neighbours; False where none may go."""
        steps = sorted(self._tags[tag])
        if len(steps) <= FEWEST_STEPS:
            return False
        inner = range(1, len(steps) - FEWEST_STEPS + 1)
        least = steps[min(inner, key=lambda at: steps[at + 1] - steps[at - 1])]
        for _, sample in self._tags[tag].pop(least).values():
            self._weigh(sample, -1)
        return True

    def _drop(self, tag: str, step: float, prompt: str) -> None:
        steps = self._tags[tag]
        held = steps[step].pop(prompt, None)
        if held is None:
            return
        self._weigh(held[1], -1)
        self._all = None
        if not steps[step]:
            del steps[step]
        if not steps:
            del self._tags[tag]

    def _weigh(self, sample: TextSample, sign: int) -> None:
        self._count += sign
        self._characters += sign * (len(sample.prompt) + len(sample.output) + len(sample.expected))
