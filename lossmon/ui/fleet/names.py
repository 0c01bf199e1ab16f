"""Run names: short forms in a list that keep what tells runs apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from rich.cells import cell_len

from lossmon.types import RunSnapshot
from lossmon.ui.metrics.names import frequencies, shortened
from lossmon.ui.text.lines import clean, clip, clip_middle, clip_start

_ENDING = re.compile(r"/.*$|(\.[A-Za-z]\w*)+$", re.DOTALL)
"""What may be left out at the end of all names: a file in each folder, or an extension."""


class RunNames:
    """Short names of all runs of a list, made again when a name or the room changes."""

    def __init__(self) -> None:
        self._runs: tuple[RunSnapshot, ...] = ()
        self._names: tuple[str, ...] = ()
        self._room = -1
        self._whole: dict[str, str] = {}
        self._short: dict[str, str] = {}
        self.longest = 0

    def update(self, runs: tuple[RunSnapshot, ...]) -> None:
        """Take the runs; cheap where none of their names changed."""
        if runs is self._runs:
            return
        self._runs = runs
        names = tuple(run.name for run in runs)
        if names == self._names:
            return
        self._names, self._room = names, -1
        own = tuple(dict.fromkeys(names))
        parts = distinct_parts([clean(name) for name in own])
        self._whole = dict(zip(own, parts, strict=True))
        self.longest = max(map(cell_len, parts), default=0)

    def of(self, run: RunSnapshot, room: int) -> str:
        """The name of a run in `room` cells; `update` has been given the run."""
        if room >= self.longest:
            return self._whole[run.name]
        if room != self._room:
            self._room = room
            texts = short_names(list(self._whole.values()), room)
            self._short = dict(zip(self._whole, texts, strict=True))
        return self._short[run.name]


def distinct_parts(names: Sequence[str]) -> list[str]:
    """Leave out the folders that all names begin with, and the file that all end with.

    Args:
        names: Different names.
    """
    if len(names) < 2:
        return list(names)
    start = _shared_start(names).rfind("/") + 1
    ending = _shared_start([name[start:][::-1] for name in names])[::-1]
    found = _ENDING.search(ending)
    size = len(found[0]) if found else 0
    parts = [name[start : len(name) - size] for name in names]
    return parts if all(parts) else [name[start:] for name in names]


def short_names(names: Sequence[str], room: int) -> list[str]:
    """Shorten different names to `room` cells each, at least eight; they stay different.

    Words that most names have are left out first. Where no cut tells two names apart they are
    numbered.
    """
    counts = frequencies(names)
    texts = [name if cell_len(name) <= room else shortened(name, room, counts) for name in names]
    for places in _alike(texts):
        cut = _cut_apart([names[at] for at in places], room)
        for at, text in zip(places, cut, strict=True):
            texts[at] = text
    taken = set(texts)
    for places in _alike(texts):
        number = 1
        for at in places[1:]:
            text = texts[at]
            while text in taken:
                number += 1
                mark = f"~{number}"
                text = clip_middle(texts[at], max(1, room - len(mark))) + mark
            taken.add(text)
            texts[at] = text
    return texts


def _alike(texts: Sequence[str]) -> list[list[int]]:
    """The places of each text that occurs more than once."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        places[text].append(at)
    return [found for found in places.values() if len(found) > 1]


def _cut_apart(names: Sequence[str], room: int) -> list[str]:
    """Short forms of names that had the same one: around where they begin to differ."""
    start = len(_shared_start(names))
    size = len(_shared_start([name[start:][::-1] for name in names]))
    middles = [name[start : len(name) - size] for name in names]
    most = max(map(cell_len, middles))
    if most + 2 > room:
        return [clip_middle(f"…{middle}", room) for middle in middles]
    # Head and tail share what the differing part leaves.
    left = room - most
    tail = names[0][len(names[0]) - size :]
    tail = tail if cell_len(tail) <= left // 2 else clip(tail, left // 2)
    head = clip_start(names[0][:start], left - cell_len(tail))
    return [f"{head}{middle}{tail}" for middle in middles]


def _shared_start(names: Sequence[str]) -> str:
    """The characters that all names begin with; at least one name."""
    first, last = min(names), max(names)
    alike = (one == other for one, other in zip(first, last, strict=False))
    return first[: next((at for at, same in enumerate(alike) if not same), len(first))]
