"""Attachments of a log: texts and tables in files of their own, because they are long."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Generic, TypeVar

from lossmon.regular_file import open_regular

_NAME = re.compile(r"[\w .=+@-]{1,200}")
"""A part of a path that may be followed: anybody can make a log."""

_DEEPEST = 8
"""Directories between a run and its attachments."""

_MOST_QUEUED = 300
"""Files that one call opens: a tenth of a second from a warm disk."""

T = TypeVar("T")


class AttachmentQueue(Generic[T]):
    """Queue of the attachments that a log named, thinned to what one call can open.

    The first, the newest and some in between of each key stay.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, list[T]] = {}
        self._count = 0

    def add(self, key: str, named: T) -> None:
        """Add one."""
        self._by_key.setdefault(key, []).append(named)
        self._count += 1
        if self._count > _MOST_QUEUED:
            longest = max(self._by_key.values(), key=len)
            self._count -= len(longest)
            longest[1:-1] = longest[2:-1:2]
            self._count += len(longest)

    def drain(self) -> list[T]:
        """Return the queue and empty it: key by key, the oldest first."""
        by_key, self._by_key, self._count = self._by_key, {}, 0
        return [named for group in by_key.values() for named in group]


def read_attachment(directory: Path, name: str, limit: int) -> bytes | None:
    """Return the first bytes of a regular file below a directory; None if there is none.

    Args:
        directory: Where the run keeps its attachments.
        name: Path below it, as the log spells it. It is not trusted: nothing outside the
            directory is opened, and no link is followed.
        limit: Bytes.
    """
    parts = name.split("/")
    if len(parts) > _DEEPEST or not all(_NAME.fullmatch(part) and part[0] != "." for part in parts):
        return None
    path = os.path.join(os.path.realpath(directory), *parts)
    try:
        if os.path.realpath(path) != path:
            return None
        with open_regular(path, follow=False) as file:
            return file.read(limit)
    except (OSError, ValueError):
        return None
