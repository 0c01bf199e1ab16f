"""Run names: short forms in a list that keep what distinguishes runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len

from lossmon.types import RunSnapshot
from lossmon.ui.metrics.names import shared_start, short_names
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
    """Leave out the folders that all names begin with, and the file that all end with."""
    if len(names) < 2:
        return list(names)
    start = shared_start(names).rfind("/") + 1
    ending = shared_start([name[start:][::-1] for name in names])[::-1]
    found = _ENDING.search(ending)
    size = len(found[0]) if found else 0
    parts = [name[start : len(name) - size] for name in names]
    return parts if all(parts) else [name[start:] for name in names]
