"""A bounded file of lines that is safe on a network file system and when its writer is killed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern

DIRECTORY = ".lossmon"
"""Directory inside a run that holds what lossmon itself writes there."""

LIMIT = 4 << 20
"""Bytes after which a file is rotated: at a sample per ten seconds from eight GPUs, half a day."""

_UNFIT = lazy_pattern(r"[^A-Za-z0-9._-]+")
_NAME = lazy_pattern(r"hardware-(.+)\.jsonl")


def path_of(run: Path, host: str) -> Path:
    """Where the samples of one host are."""
    fit = _UNFIT.sub("-", host)[:100].strip(".") or "unknown"
    return run / DIRECTORY / f"hardware-{fit}.jsonl"


def is_journal(name: str) -> bool:
    """Whether a file name is that of the samples of a host."""
    return _NAME.fullmatch(name) is not None


class Journal:
    """Appends lines to a file of one writer.

    The file is opened and closed for each line: closing is what makes a network file system send
    it to the server. A line is one write, so that a killed writer leaves at most one torn line,
    and that is ended before the next one. At `LIMIT` bytes the file becomes `<name>.1` in place of
    an older one.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self._limit = limit

    def append(self, line: bytes) -> None:
        """Append one line, its line end included.

        Raises:
            OSError: It cannot be written; nothing was, or a part of the line at the end.
        """
        self.path.parent.mkdir(exist_ok=True)
        self._rotate(len(line))
        descriptor = self._open()
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _rotate(self, more: int) -> None:
        try:
            size = os.lstat(self.path).st_size
        except FileNotFoundError:
            return
        if size + more > self._limit:
            os.replace(self.path, f"{self.path}.1")

    def _open(self) -> int:
        # A link in a directory that others may write must not lead elsewhere.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(self.path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{self.path} is not a regular file")
        return descriptor
