"""The transaction log of W&B and SwanLab: LevelDB's log blocks behind a header of 7 bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from lossmon.errors import ReadError
from lossmon.readers.files.tail import Tail

BLOCK = 1 << 15
"""Bytes of a block, counted from the start of the file; no fragment crosses a block's end."""

PREFIX = 7
"""Bytes of the file header, and of the header of each fragment."""

LARGEST = 4 << 20
"""Bytes of the longest record that is kept: a summary with thousands of keys has some 100 kB."""

_TAKEN = 8 * BLOCK
"""Bytes read at once: some thousand records, taken apart in about 10 ms."""

_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

_fragment = Struct("<IHB")


class Entry(NamedTuple):
    """One record.

    Attributes:
        content: Its bytes.
        offset: Where its last fragment ends in the file.
    """

    content: bytes
    offset: int


class LogTail:
    """Gives the records that were completed in a transaction log since the last call.

    A damaged block is left out, with a note; reading goes on at the next. Zeros where a record
    should begin are a hole that the file system has not filled yet, and are looked at again.

    Args:
        path: The file.
        magic: Its first bytes, all but the version.
        versions: Versions that can be read; None for any.

    Attributes:
        path: The file.
        version: Last byte of the file header, -1 until it is known.
        replaced: The last call found that the file began anew.
    """

    def __init__(self, path: Path, magic: bytes, versions: Container[int] | None = None) -> None:
        self.path = path
        self.replaced = False
        self._magic = magic
        self._versions = versions
        self._tail = Tail(path)
        self._damaged: list[int] = []
        self._begin()

    def _begin(self) -> None:
        self.version = -1
        self._half = b""
        """Bytes behind the last whole fragment."""
        self._parts: list[bytes] = []
        """Fragments of a record whose last one is still to come."""
        self._skip = 0
        """Bytes up to the next block that are still to come."""
        self._hole = False

    @property
    def pending(self) -> int:
        """Bytes known to be unread; 0 at a hole, where coming back at once is of no use."""
        return 0 if self._hole else self._tail.pending

    def drain_notes(self) -> tuple[str, ...]:
        """Return what was worth a word since this was last called."""
        damaged, self._damaged = self._damaged, []
        if not damaged:
            return ()
        blocks = "1 damaged block" if len(damaged) == 1 else f"{len(damaged):,} damaged blocks"
        return (f"{blocks} skipped, from byte {damaged[0]:,}",)

    def feed(
        self, deadline: float, anew: Callable[[], None], give: Callable[[bytes], None]
    ) -> bool:
        """Hand over the records that were completed since the last call.

        Args:
            deadline: `time.monotonic()` value after which to stop; one piece is always read.
            anew: Called before the first record of a log that began anew.
            give: Gets each record's bytes.

        Returns:
            Whether the log began anew.

        Raises:
            ReadError: It is no such log, or may not be read. After records were handed over
                that is left to the next call.
        """
        replaced = given = False
        while True:
            try:
                entries = self.take()
                if entries and self._versions is not None and self.version not in self._versions:
                    byte = PREFIX - 1
                    raise ReadError(f"{self.path}: byte {byte}: unknown version {self.version}")
            except ReadError:
                if not given:
                    raise
                break
            if self.replaced:
                replaced = True
                anew()
            if entries is None:
                break
            given = given or bool(entries)
            for entry in entries:
                give(entry.content)
            if time.monotonic() >= deadline:
                break
        return replaced

    def take(self) -> list[Entry] | None:
        """Return the next whole records; None when there is nothing new.

        Raises:
            ReadError: It is no such log, or may not be read.
        """
        taken = self._tail.take(PREFIX if self._hole else _TAKEN)
        self.replaced = self._tail.replaced
        if self.replaced:
            self._begin()
        if not taken:
            return None
        skipped = min(self._skip, len(taken))
        self._skip -= skipped
        data = self._half + taken[skipped:]
        place = self._tail.offset - len(data)
        if self.version < 0:
            if len(data) < PREFIX:
                self._half = data
                return []
            if not data.startswith(self._magic):
                raise ReadError(f"{self.path}: byte 0: not the log that its name says")
            self.version = data[PREFIX - 1]
            return self._entries(data, PREFIX, place)
        return self._entries(data, 0, place)

    def _entries(self, data: bytes, at: int, place: int) -> list[Entry] | None:
        """Take fragments apart. `place` is where `data` begins in the file."""
        entries, end, unpack = list[Entry](), len(data), _fragment.unpack_from
        self._hole = False
        while True:
            left = BLOCK - (place + at) % BLOCK
            if left < PREFIX:
                at += left
                left = BLOCK
            if at + PREFIX > end:
                break
            crc, length, kind = unpack(data, at)
            stop = at + PREFIX + length
            if not (crc or length or kind) and at + left >= end:
                self._hole = True
                self._tail.give_back(end - at)
                break
            if length > left - PREFIX or not _FULL <= kind <= _LAST:
                at = self._leave_block(at, left, place)
                continue
            if stop > end:
                break
            if crc32(data[at + 6 : stop]) != crc:
                at = self._leave_block(at, left, place)
                continue
            content = self._joined(kind, data[at + PREFIX : stop])
            at = stop
            if content is not None:
                entries.append(Entry(content, place + at))
        self._half = b"" if self._hole else data[at:]
        self._skip = max(0, at - end)
        return None if self._hole and not entries else entries

    def _leave_block(self, at: int, left: int, place: int) -> int:
        self._damaged.append(place + at)
        self._parts = []
        return at + left

    def _joined(self, kind: int, fragment: bytes) -> bytes | None:
        """The whole record, once its last fragment has come."""
        if kind == _FULL:
            self._parts = []
            return fragment
        if kind == _FIRST:
            self._parts = [fragment]
            return None
        if not self._parts:
            return None
        self._parts.append(fragment)
        if sum(map(len, self._parts)) > LARGEST:
            self._parts = []
        if kind != _LAST or not self._parts:
            return None
        content = b"".join(self._parts)
        self._parts = []
        return content
