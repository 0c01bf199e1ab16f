"""Head of a file: the first bytes, by which its format and its encoding are recognised."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import HEAD
from lossmon.regular_file import open_regular

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
        with open_regular(path, follow=False) as file:
            return read(file.fileno())
    except OSError:
        return None


SAMPLE = 256
"""Bytes that decide on the encoding, even if the first line has not ended."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_END = re.compile(rb"[\r\n]")
_CONTROLS = lazy_pattern("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")

FEWEST = 2
"""Latin-1 letters in the first line that are needed to recognise UTF-16 without a mark."""


class Encoding(NamedTuple):
    """Encoding of a text file.

    Attributes:
        name: `utf-8`, `utf-16-le` or `utf-16-be`.
        mark: Length of its byte order mark, 0 if it has none.
        sure: More bytes cannot change it.
    """

    name: str
    mark: int = 0
    sure: bool = True

    @property
    def wide(self) -> bool:
        """Whether it is UTF-16."""
        return self.name != "utf-8"


def encoding_of(head: bytes) -> Encoding:
    """Detect the encoding of a file.

    UTF-16 without a byte order mark, as older tools of Windows append it, shows in the first line:
    every second byte of its ASCII letters is 0.

    Args:
        head: Its first bytes, at least one if there are any.
    """
    return _encoding_of(head[:SAMPLE])


@lru_cache(8)  # Each format that a file may have asks again.
def _encoding_of(head: bytes) -> Encoding:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, len(mark))
    if any(mark.startswith(head) for mark, _ in _MARKS):
        return Encoding("utf-8", sure=False)
    sample, whole = _first_line(head)
    return Encoding(_unmarked(sample), sure=whole or len(head) >= SAMPLE)


def _first_line(head: bytes) -> tuple[bytes, bool]:
    """The first line with the byte after its end, and whether all of that is there."""
    end = _END.search(head)
    if end is None:
        return head, False
    line = head[: end.end() + 1]
    return line, len(line) > end.end() or b"\0" not in line


def _unmarked(sample: bytes) -> str:
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    name, zeros, others = ("utf-16-le", odd, even) if odd > even else ("utf-16-be", even, odd)
    if zeros < FEWEST or zeros * 8 < len(sample) or others * 8 > zeros:
        return "utf-8"
    text = sample[: len(sample) // 2 * 2].decode(name, errors="replace")
    return "utf-8" if _CONTROLS.search(text) else name


def as_utf8(head: bytes) -> bytes:
    """Return the first bytes of a file as UTF-8 if they are UTF-16, else unchanged."""
    encoding = encoding_of(head)
    if not encoding.wide:
        return head
    text = head[encoding.mark :].decode(encoding.name, errors="ignore")
    return text.encode(errors="replace")
