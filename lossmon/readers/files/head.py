"""The first bytes of a file, by which its format is recognised."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from lossmon.readers.files.encoding import as_utf8, encoding_of
from lossmon.readers.format import HEAD

CHUNK = 1 << 16
"""Bytes read at once on the way to the contents."""

MOST_SKIPPED = 16 << 20
"""Bytes that may stand before the contents: a first line of 10 MB is skipped in 5 ms."""


def read_head(path: Path) -> bytes | None:
    """Return the first `HEAD` bytes of a regular file; None if it is not one or is unreadable.

    UTF-16 is returned as UTF-8, so that detection need not know about it. NULs before the contents
    are skipped: a log that was truncated while its writer kept its offset begins with a hole. A
    FIFO or a device is never opened, as that could block or change it.
    """
    return _read(path, _beginning)


def head_after_first_line(path: Path) -> bytes | None:
    """Return the `HEAD` bytes after a first line that is longer than that; None before it ends.

    A log may begin with all of its settings in one line.
    """
    return _read(path, _after_line)


def _beginning(descriptor: int) -> bytes:
    head = os.read(descriptor, HEAD)
    at = len(head)
    while head and not head.strip(b"\0") and at < MOST_SKIPPED:
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            break
        at += len(chunk)
        rest = chunk.lstrip(b"\0")
        if rest:
            head = (rest + os.read(descriptor, HEAD))[:HEAD]
    if encoding_of(head).wide:
        return as_utf8(head + os.read(descriptor, HEAD))[:HEAD]
    return head


def _after_line(descriptor: int) -> bytes | None:
    skipped = 0
    while skipped < MOST_SKIPPED:
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            return None
        skipped += len(chunk)
        if (end := chunk.find(b"\n")) >= 0:
            head = (chunk[end + 1 :] + os.read(descriptor, HEAD))[:HEAD]
            # The second half of a UTF-16 line feed stands after it.
            return as_utf8(head.lstrip(b"\0")) or None
    return None


def _read(path: Path, read: Callable[[int], bytes | None]) -> bytes | None:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return read(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
