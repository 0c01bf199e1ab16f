"""Transaction logs of experiment trackers: LevelDB's log blocks after a header of 7 bytes."""

from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from lossmon.errors import ReadError
from lossmon.readers.files.tail import Tail
from lossmon.readers.values import counted
from lossmon.regular_file import open_regular

BLOCK = 1 << 15
"""Bytes of a block, counted from the start of the file; no fragment crosses the end of a block."""

PREFIX = 7
"""Bytes of the header of the file, and of each fragment."""

LARGEST = 4 << 20
"""Bytes of the longest record that is kept: a summary with thousands of keys takes some 100 kB."""

_CHUNK = 8 * BLOCK
"""Bytes read at once: some thousand records, decoded in about 10 ms."""

_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

_KIND_CRC = {kind: crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}
"""Checksums of the kinds of fragments, with which those of their contents begin."""

_fragment = Struct("<IHB")
_new = tuple.__new__  # Half the time of the constructor of a named tuple, of which there are many.


class LogRecord(NamedTuple):
    """A record of a log.

    Attributes:
        content: Its bytes.
        offset: Where its last fragment ends in the file.
    """

    content: bytes
    offset: int


class LevelDbTail:
    """Reads the records that were completed in a transaction log since the last call.

    A damaged block is skipped with a note, and reading goes on at the next. Zeros where a record
    should begin are a hole that the file system has not filled yet: they are read again.

    Args:
        magic: Its first bytes without the version.
        versions: Versions that can be read; any if None.

    Attributes:
        path: The file.
        version: Last byte of the file header, -1 until it is known.
        replaced: The last call found that the file started over.
    """

    def __init__(self, path: Path, magic: bytes, versions: Container[int] | None = None) -> None:
        self.path = path
        self.replaced = False
        self._magic = magic
        self._versions = versions
        self._tail = Tail(path)
        self._damaged: list[int] = []
        self._reset()

    def _reset(self) -> None:
        self.version = -1
        self._half = b""
        """Bytes after the last whole fragment."""
        self._parts: list[bytes] = []
        """Fragments of a record whose last one is still to come."""
        self._skip = 0
        """Bytes up to the next block that are still to come."""
        self._hole = False

    @property
    def pending(self) -> int:
        """Bytes known to be unread; 0 at a hole, where reading again at once is useless."""
        return 0 if self._hole else self._tail.pending

    def drain_notes(self) -> tuple[str, ...]:
        """Return the notes since the last call."""
        damaged, self._damaged = self._damaged, []
        if not damaged:
            return ()
        blocks = counted(len(damaged), "damaged block")
        return (f"{blocks} skipped, from byte {damaged[0]:,}",)

    def read(self) -> list[LogRecord] | None:
        """Return the next whole records; None if there is nothing new.

        Raises:
            ReadError: It is not such a log, has another version, or may not be read.
        """
        content = self._tail.read(PREFIX if self._hole else _CHUNK)
        self.replaced = self._tail.replaced
        if self.replaced:
            self._reset()
        if not content:
            return [] if self.replaced else None
        skipped = min(self._skip, len(content))
        self._skip -= skipped
        data = self._half + content[skipped:]
        offset = self._tail.offset - len(data)
        if self.version >= 0:
            return self._records(data, 0, offset)
        if not any(data[:PREFIX]):
            self._hole, self._half = True, b""
            self._tail.unread(len(data))
            return [] if self.replaced else None
        if len(data) < PREFIX:
            self._half = data
            return []
        self._read_header(data)
        return self._records(data, PREFIX, offset)

    def _read_header(self, data: bytes) -> None:
        if not data.startswith(self._magic):
            raise ReadError(f"{self.path}: byte 0: not the log that its name says")
        version = data[PREFIX - 1]
        if self._versions is not None and version not in self._versions:
            raise ReadError(f"{self.path}: byte {PREFIX - 1}: unknown version {version}")
        self.version = version

    def _records(self, data: bytes, at: int, offset: int) -> list[LogRecord] | None:
        """Join the fragments in `data`, which begins at `offset` in the file."""
        records, end, unpack = list[LogRecord](), len(data), _fragment.unpack_from
        self._hole = False
        left = BLOCK - (offset + at) % BLOCK
        while True:
            if left < PREFIX:
                at += left
                left = BLOCK
            if at + PREFIX > end:
                break
            crc, length, kind = unpack(data, at)
            size = PREFIX + length
            if not (crc or length or kind) and at + left >= end:
                self._hole = True
                self._tail.unread(end - at)
                break
            is_whole = size <= left and kind in _KIND_CRC
            if is_whole and at + size > end:
                break
            fragment = data[at + PREFIX : at + size]
            if not is_whole or crc32(fragment, _KIND_CRC[kind]) != crc:
                at = self._skip_block(at, left, offset)
                left = BLOCK
                continue
            at += size
            left -= size
            content = (
                fragment if kind == _FULL and not self._parts else self._joined(kind, fragment)
            )
            if content is not None:
                records.append(_new(LogRecord, (content, offset + at)))
        self._half = b"" if self._hole else data[at:]
        self._skip = max(0, at - end)
        return None if self._hole and not (records or self.replaced) else records

    def _skip_block(self, at: int, left: int, offset: int) -> int:
        self._damaged.append(offset + at)
        self._parts = []
        return at + left

    def _joined(self, kind: int, fragment: bytes) -> bytes | None:
        """The whole record, once its last fragment is there."""
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


def read_record(path: Path, end: int, length: int) -> bytes | None:
    """Read a record again; None if it is damaged or no longer there.

    Fragments fill their blocks, so the end and the length of a record say where each of them is.

    Args:
        end: `LogRecord.offset`.
        length: Bytes of the record.
    """
    parts: list[bytes] = []
    try:
        with open_regular(path) as file:
            while length > 0:
                block = (end - 1) // BLOCK * BLOCK
                # The first block begins with the header of the file.
                start = max(block + PREFIX * (1 if block else 2), end - length)
                data = os.pread(file.fileno(), end - start + PREFIX, start - PREFIX)
                if len(data) <= PREFIX or crc32(data[6:]) != _fragment.unpack_from(data)[0]:
                    return None
                parts.append(data[PREFIX:])
                length -= end - start
                end = block
    except OSError:
        return None
    return b"".join(reversed(parts))
