"""Files whose many lookalikes hold no metrics: they are looked at after all others."""

from __future__ import annotations

import os
import re
from collections import Counter

from lossmon.readers.discovery.tree import ListedFile

ENOUGH = 500
"""Files of one directory and one sort of name without metrics, from which on the others wait: a
data set of 100,000 texts beside a log must not hide it."""

_COUNTED = re.compile(r"[0-9a-f]{8,}|[0-9]+")
"""What tells one name from the next: a number, a hash or a part of a UUID."""

Sort = tuple[str, str]
"""A directory, and a name without what is counted in it."""


class Lookalikes:
    """Puts files off while those named alike turn out to hold no metrics."""

    def __init__(self) -> None:
        self._refused: Counter[Sort] = Counter()
        self._known: set[Sort] = set()
        self._waiting: dict[tuple[int, int], ListedFile] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def waits(self, file: ListedFile) -> bool:
        """Whether a file that was not looked at yet is put off."""
        if file.inode in self._waiting:
            return True
        sort = _sort(file.path)
        if self._refused[sort] < ENOUGH or sort in self._known:
            return False
        self._waiting[file.inode] = file
        return True

    def pop(self) -> ListedFile:
        """Return the file that was put off last, which is the newest of those that are counted."""
        return self._waiting.popitem()[1]

    def refuse(self, file: ListedFile) -> None:
        """Note that a file holds no metrics."""
        self._refused[_sort(file.path)] += 1

    def recognise(self, file: ListedFile) -> None:
        """Note that a file holds metrics: no other one of its sort waits any longer."""
        sort = _sort(file.path)
        self._known.add(sort)
        if self._refused[sort] >= ENOUGH:
            alike = [key for key, one in self._waiting.items() if _sort(one.path) == sort]
            for key in alike:
                del self._waiting[key]


def _sort(path: str) -> Sort:
    directory, name = os.path.split(path)
    return directory, _COUNTED.sub("0", name.lower())
