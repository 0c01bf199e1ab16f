"""Files that a log names: texts and tables that are too long to stand in it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Generic, TypeVar

_NAME = re.compile(r"[\w .=+@-]{1,200}")
"""A part of a path that may be followed; a log can be made by anybody."""

_DEEPEST = 8
"""Directories between a run and its media."""

_MOST_WAITING = 300
"""Files that one call opens: a tenth of a second from a warm disk."""

T = TypeVar("T")


class Waiting(Generic[T]):
    """What a log named since the last call, thinned to what one call can open.

    Of each key the first, the newest and some between them stay.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, list[T]] = {}
        self._count = 0

    def add(self, key: str, named: T) -> None:
        """Note one more."""
        self._by_key.setdefault(key, []).append(named)
        self._count += 1
        if self._count > _MOST_WAITING:
            longest = max(self._by_key.values(), key=len)
            self._count -= len(longest)
            longest[1:-1] = longest[2:-1:2]
            self._count += len(longest)

    def drain(self) -> list[T]:
        """Give what waits, key by key, each oldest first."""
        by_key, self._by_key, self._count = self._by_key, {}, 0
        return [named for group in by_key.values() for named in group]


def media(directory: Path, name: str, limit: int) -> bytes | None:
    """The first bytes of a regular file below a directory; None where there is none.

    Args:
        directory: Where the run keeps its media.
        name: Path below it, as the log spells it. It is not trusted: nothing outside the
            directory is opened, and no link is followed.
        limit: Bytes.
    """
    parts = name.split("/")
    if len(parts) > _DEEPEST or not all(_NAME.fullmatch(part) and part[0] != "." for part in parts):
        return None
    path = os.path.join(os.path.realpath(directory), *parts)
    try:
        if os.path.realpath(path) != path or not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit)
    except OSError:
        return None
