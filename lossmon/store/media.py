"""Stores of texts, and of places of histograms and images: thinned per prompt and per tag."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lossmon.types import LoggedMedia, MediaKind, MediaRecord, MediaSeries, TextSample

MOST_STEPS = 300
"""Most steps kept per tag: more than a wide screen has columns."""

MOST_RECORDS = 40_000
"""Records kept per run, about 10 MB: the histograms of some hundred layers."""

MOST_TAGS = 2000
"""Tags kept per run; a name with a number that changes at every step would fill the memory."""

_FEWEST_STEPS = 8
"""Steps that every tag keeps."""


class _Tag(NamedTuple):
    kind: MediaKind
    scope: str
    source: str
    tag: str


_Steps = dict[int, tuple[int, MediaRecord]]
"""Number of the file and record, by step."""


class MediaStore:
    """Records of one run. Keeps the first step, the newest, and evenly spaced ones between.

    What is logged again at the same step replaces the old record.
    """

    def __init__(self) -> None:
        self._tags: dict[_Tag, _Steps] = {}
        self._count = 0
        self._all: tuple[MediaSeries, ...] | None = ()

    def add(self, file: int, scope: str, source: str, media: Iterable[LoggedMedia]) -> None:
        """Add records of file number `file`, oldest first.

        Args:
            file: Number of the file.
            scope: Name of its sub-run, or empty.
        """
        for kind, tag, record in media:
            key = _Tag(kind, scope, source, tag)
            steps = self._tags.get(key)
            if steps is None:
                if len(self._tags) >= MOST_TAGS:
                    continue
                steps = self._tags[key] = {}
            self._count += record.step not in steps
            steps[record.step] = (file, record)
            if len(steps) > MOST_STEPS:
                self._thin(steps)
            self._all = None
        while self._count > MOST_RECORDS:
            longest = max(self._tags.values(), key=len)
            if len(longest) <= _FEWEST_STEPS:
                break
            self._thin(longest)

    def clear(self, file: int) -> None:
        """Drop the records of a file."""
        for key, steps in list(self._tags.items()):
            kept = {step: one for step, one in steps.items() if one[0] != file}
            if len(kept) == len(steps):
                continue
            self._count -= len(steps) - len(kept)
            self._all = None
            if kept:
                self._tags[key] = kept
            else:
                del self._tags[key]

    def all(self) -> tuple[MediaSeries, ...]:
        """Every series, by kind and name. The same tuple object until a record is added."""
        if self._all is None:
            self._all = tuple(
                _series(key, steps)
                for key, steps in sorted(self._tags.items(), key=lambda one: one[0])
            )
        return self._all

    def _thin(self, steps: _Steps) -> None:
        """Drop steps that are close to the one before, a quarter of all or more."""
        known = np.array(sorted(steps), np.int64)
        apart, kept = 2 * float(np.median(np.diff(known))), int(known[0])
        for step in known[1:-1].tolist():
            if step - kept < apart:
                del steps[step]
                self._count -= 1
            else:
                kept = step


def _series(key: _Tag, steps: _Steps) -> MediaSeries:
    records = tuple(steps[step][1] for step in sorted(steps))
    name = f"{key.scope}/{key.tag}" if key.scope else key.tag
    return MediaSeries(key.kind, key.tag, name, key.source, records)


MOST_TEXT_STEPS = 60
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
        if len(steps) > MOST_TEXT_STEPS:
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
