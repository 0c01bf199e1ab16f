"""Store of the texts that a run logged: one per prompt and step, thinned to a bound."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lossmon.types import TextSample

MOST_STEPS = 60
"""Most steps kept per tag."""

MOST_SAMPLES = 4000
"""Most texts kept per run: sixty steps of some sixty prompts."""

MOST_CHARACTERS = 16_000_000
"""Most characters kept per run, 16 to 64 MB."""

FEWEST_STEPS = 3
"""Steps that are never thinned: the first, the newest and the one before it."""

_Step = dict[str, tuple[int, TextSample]]
"""Number of the file and sample, by prompt."""


class SampleStore:
    """Samples of one run. Keeps the first step, the newest two, and evenly spaced ones between.

    A sample that is logged again for the same prompt and step replaces the old one.
    """

    def __init__(self) -> None:
        self._tags: dict[str, dict[float, _Step]] = {}
        self._count = 0
        self._characters = 0
        self._all: tuple[TextSample, ...] | None = ()

    def add(self, file: int, samples: Iterable[TextSample]) -> None:
        """Add samples of file number `file`, oldest first."""
        for sample in samples:
            self._add(file, sample)

    def clear(self, file: int) -> None:
        """Drop the samples of a file."""
        for tag, steps in list(self._tags.items()):
            for step, prompts in list(steps.items()):
                for prompt in [one for one, (source, _) in prompts.items() if source == file]:
                    self._drop(tag, step, prompt)

    def all(self) -> tuple[TextSample, ...]:
        """Every sample: prompts in the order of their first sample, steps ascending per prompt.

        The same tuple object until a sample is added.
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
                # Too many prompts at one step: the first of them are kept.
                self._drop(sample.tag, step, sample.prompt)
                return

    def _thin(self, tag: str) -> bool:
        """Drop the step closest to its neighbours; False where none may be dropped."""
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
