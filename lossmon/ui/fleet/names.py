"""Run names: short forms in a list that keep what distinguishes runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len

from lossmon.types import RunSnapshot
from lossmon.ui.metrics.names import frequencies, shared_start, short_names
from lossmon.ui.text.lines import clean

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
        self._counts: Counter[str] = Counter()
        self._counted = 0
        """Names that the words were counted in: a list that grows is not shortened anew."""
        self.longest = 0

    def update(self, runs: tuple[RunSnapshot, ...]) -> None:
        """Take the runs; cheap where none of their names changed."""
        if runs is self._runs:
            return
        self._runs = runs
        names = tuple(run.name for run in runs)
        if names == self._names:
            return
        own, before = tuple(dict.fromkeys(names)), self._whole
        parts = distinct_parts([clean(name) for name in own])
        self._names, self._whole = names, dict(zip(own, parts, strict=True))
        if len(own) > 2 * self._counted or not before.items() <= self._whole.items():
            self._room = -1
        self.longest = max(map(cell_len, parts), default=0)

    def of(self, run: RunSnapshot, room: int) -> str:
        """The name of a run in `room` cells; `update` has been given the run."""
        if room >= self.longest:
            return self._whole[run.name]
        if room != self._room or run.name not in self._short:
            self._shorten(room)
        return self._short[run.name]

    def _shorten(self, room: int) -> None:
        """Shorten the names that have no short form in this room; all of them where one of those
        would read like one that is known."""
        known = self._short if room == self._room else {}
        fresh = {name: part for name, part in self._whole.items() if name not in known}
        if known:
            texts = short_names(list(fresh.values()), room, self._counts)
        if not known or not set(texts).isdisjoint(known.values()):
            known, fresh, self._counted = {}, self._whole, len(self._whole)
            self._counts = frequencies(fresh.values())
            texts = short_names(list(fresh.values()), room, self._counts)
        self._room, self._short = room, {**known, **dict(zip(fresh, texts, strict=True))}


def distinct_parts(names: Sequence[str]) -> list[str]:
    """Leave out the folders that all names begin with, and the file that all end with."""
    if len(names) < 2:
        return list(names)
    start = shared_start(names).rfind("/") + 1
    ending = shared_start([name[start:][::-1] for name in names])[::-1]
    found = _ENDING.search(ending)
    size = len(found[0]) if found else 0
    parts = [name[start : len(name) - size] for name in names]
    return parts if all(parts) else [name[start:] for name in names]
