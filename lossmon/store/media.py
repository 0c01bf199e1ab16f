"""Store of what a run logged besides scalars and texts: where each record lies, thinned per tag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lossmon.types import LoggedMedia, MediaKind, MediaRecord, MediaSeries

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
            source: Its format family.
            media: The records.
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
