"""Tail of a growing file: each of its bytes is read once."""

from __future__ import annotations

import errno
import itertools
import math
import os
import re
import stat
import time
from collections import deque
from collections.abc import Iterator, Sized
from pathlib import Path
from typing import Protocol, TypeVar

from lossmon.errors import ReadError

CHUNK = 1 << 20
"""Bytes that one `Tail.read` returns by default: so many that opening the file costs little beside
reading it, so few that they are parsed between two frames."""

FINGERPRINT = 1024
"""Bytes remembered from the head of the file and from just before the offset. A rewritten file
differs in one of them: a new header moves every byte behind it, and two runs differ in the
numbers they logged last."""

QUIET = 60.0
"""Seconds without a change after which `stat` alone is trusted. Network file systems cache
attributes for up to a minute by default, and opening a file makes them look again."""

HOLE = bytes(64)
"""NULs in a row that nobody wrote so far: a file is made longer before its contents reach it where
writes to a network file system overtake each other, or where its writer reserves room. No text and
no whole record ends in as many."""

MOST_HOLES = 16
"""Holes that are looked at again before each read. The numbers of an image may be zeros, too."""

_WRITTEN = re.compile(rb"[^\0]")

T_co = TypeVar("T_co", bound=Sized, covariant=True)

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})


class Tail:
    """Reads the bytes that were appended to a file since the last call.

    The file is opened for one call only, and only if it is a regular file: a pipe or a device
    is never opened. The file may be absent, vanish and come back. Its bytes, not its inode, decide
    whether it is still the file that was read: a file that was replaced by a longer copy of itself
    (as rsync does) goes on; one that was truncated, rotated or rewritten in place starts over.

    Attributes:
        path: The file.
        offset: Bytes consumed so far.
        size: Bytes in the file at the last call without a hole at its end, 0 if it was absent.
        replaced: The last call found other content than was read before: what it returned starts
            at byte 0, and all earlier bytes are void.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.size = 0
        self.replaced = False
        self._head = b""
        self._seam = b""
        self._holes: deque[int] = deque(maxlen=MOST_HOLES)
        """Where the newest holes begin that were passed over: they may be filled later."""
        self._seen: tuple[int, ...] = ()

    @property
    def pending(self) -> int:
        """Bytes that the last call left unread."""
        return max(0, self.size - self.offset)

    def read(self, limit: int = CHUNK) -> bytes:
        """Return the next bytes, at most `limit` of them; empty if there is nothing new.

        Raises:
            ReadError: The file may not be read, or is not a regular file.
        """
        self.replaced = False
        try:
            return self._read(limit)
        except OSError as error:
            if error.errno in _ABSENT:
                self.size, self._seen = 0, ()
                return b""
            raise ReadError(f"{self.path}: {error.strerror or error}") from error

    def unread(self, count: int) -> None:
        """Read the last `count` bytes again at the next call, because they are not final yet."""
        self.offset -= count
        self._head = self._head[: self.offset]
        self._seam = self._seam[: max(0, len(self._seam) - count)]

    def skip_hole(self) -> int:
        """Pass over what comes next as far as nobody wrote it; returns the bytes passed over.

        A log that is truncated under a writer which keeps its place begins with such a hole, which
        may be larger than all disks.
        """
        try:
            descriptor = os.open(self.path, _FLAGS)
        except OSError:
            return 0
        try:
            end = _next_written(descriptor, self.offset, self.size)
            seam = os.pread(descriptor, FINGERPRINT, max(0, end - FINGERPRINT))
        except OSError:
            return 0
        finally:
            os.close(descriptor)
        skipped = end - self.offset
        if skipped > 0:
            self.offset, self.size, self._seam = end, max(end, self.size), seam
        return skipped

    def _read(self, limit: int) -> bytes:
        status = os.stat(self.path)
        self._check(status)
        if self._is_quiet(status):
            return b""
        descriptor = os.open(self.path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            self._check(status)
            self.size = status.st_size
            if not self._continues(descriptor):
                self._rewind()
            content = os.pread(descriptor, min(limit, self.pending), self.offset)
            if content.endswith(HOLE) and self._is_unwritten(descriptor, len(content)):
                content = content.rstrip(b"\0")
                self.size = self.offset + len(content)
        finally:
            os.close(descriptor)
        self._advance(content)
        self._seen = _identity(status)
        return content

    def _is_unwritten(self, descriptor: int, length: int) -> bool:
        """Whether nothing was written behind what was just read."""
        end = self.offset + length
        try:
            return _next_written(descriptor, end, self.size) == self.size
        except OSError:
            return end == self.size

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ReadError(f"{self.path}: not a regular file")

    def _is_quiet(self, status: os.stat_result) -> bool:
        return (
            self.pending == 0
            and self._seen == _identity(status)
            and time.time() - status.st_mtime > QUIET
        )

    def _continues(self, descriptor: int) -> bool:
        """Whether the bytes that were read are still where they were."""
        if self.size < self.offset:
            return False
        if os.pread(descriptor, len(self._head), 0) != self._head:
            return False
        if any(os.pread(descriptor, len(HOLE), hole) != HOLE for hole in self._holes):
            return False
        return os.pread(descriptor, len(self._seam), self.offset - len(self._seam)) == self._seam

    def _rewind(self) -> None:
        self.replaced = True
        self.offset = 0
        self._head = self._seam = b""
        self._holes.clear()

    def _advance(self, content: bytes) -> None:
        at = content.find(HOLE)
        while at >= 0:
            if at or not self._seam.endswith(HOLE):
                self._holes.append(self.offset + at)
            end = _WRITTEN.search(content, at)
            at = -1 if end is None else content.find(HOLE, end.start())
        self.offset += len(content)
        if len(self._head) < FINGERPRINT:
            self._head += content[: FINGERPRINT - len(self._head)]
        self._seam = (self._seam + content[-FINGERPRINT:])[-FINGERPRINT:]


def _next_written(descriptor: int, offset: int, size: int) -> int:
    """Where the first byte from an offset on is that somebody wrote; the size if there is none."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return size


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


MOST_PIECES = 16
"""Pieces that are read at a time, 4 MiB of lines: what is made of them is held beside the points
that are stored already, and a fast machine reads much in a quarter of a second."""


class Incremental(Protocol[T_co]):
    """A growing file that is read piece by piece: chunks of lines, lists of records."""

    @property
    def replaced(self) -> bool:
        """Whether the file started over with the piece that was read last."""
        ...

    def read(self) -> T_co | None:
        """Return the next piece, which may be empty; None if there is nothing new.

        Raises:
            ReadError: The file may not be read, or is corrupt from here on.
        """
        ...


def read_until(file: Incremental[T_co], deadline: float) -> Iterator[T_co]:
    """Read a file piece by piece, at least one and until there is nothing new.

    An error after a piece with content is left to the next call, which meets it again.

    Args:
        deadline: `time.monotonic()` value after which to stop; before an infinite one, all is
            read, and else `MOST_PIECES`.

    Raises:
        ReadError: The file may not be read, or is corrupt from its first unread byte on.
    """
    begin, found, most = time.monotonic(), False, math.inf if math.isinf(deadline) else MOST_PIECES
    for count in itertools.count(1):
        try:
            piece = file.read()
        except ReadError:
            if found:
                return
            raise
        if piece is None:
            return
        yield piece
        found = found or len(piece) > 0
        now = time.monotonic()
        # The next piece takes about as long as each of these.
        if count >= most or now + (now - begin) / count >= deadline:
            return
