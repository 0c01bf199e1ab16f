"""Record framing of event files: length, checksum, bytes, checksum."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from lossmon.errors import ReadError
from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.tail import CHUNK, HOLE, Tail
from lossmon.types import Ints

HEADER = 12
"""Bytes before the payload: its length (8) and the masked checksum of the length (4)."""

FOOTER = 4
"""Bytes after the payload: its masked checksum."""

PADDING = bytes(16)
"""Zeros after the last record, which let whole words be loaded anywhere in one."""

LARGEST = 1 << 20
"""Bytes of the longest record that is kept. Scalars take 50 bytes and texts some thousand; longer
records are images, sounds or graphs, and are only named."""

WINDOW = 32
"""Records that must have repeated before the next ones are guessed, and the longest cycle in which
they may: the tags that a training logs at a time."""

_CORRUPT = 1 << 31
"""Length that no writer can produce: protocol buffers end at 2 GiB."""

_header = Struct("<QI")


@dataclass(frozen=True, slots=True)
class RecordChunk:
    """Consecutive records in one buffer. Their payloads are not verified yet.

    Attributes:
        data: The bytes, with `PADDING` after the last record.
        starts: Where in `data` each payload begins.
        lengths: Bytes of each payload; its masked checksum follows it.
        offset: Where `data` begins in the file.
        overlong: Offset in the file and length of each payload that is too long to be kept. The
            last of them may not be written completely yet.
    """

    data: bytes
    starts: Ints
    lengths: Ints
    offset: int
    overlong: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)


def is_header(head: bytes) -> bool:
    """Whether a record file may begin with these bytes; too few bytes and zeros may."""
    if len(head) < HEADER or not any(head[:HEADER]):
        return True
    length, crc = _header.unpack_from(head)
    return bool(length < _CORRUPT and masked(crc32c(head[:8])) == crc)


class RecordTail:
    """Reads the records that were completed in a growing file since the last call.

    Half a record is kept until the rest is there. A header of zeros is a hole that the file system
    has not filled yet: it is read again. Records longer than `LARGEST` are skipped without being
    held in memory.

    Attributes:
        path: The file.
        replaced: The last call found that the file started over.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.replaced = False
        self._tail = Tail(path)
        self._known: dict[int, int] = {}
        """Length → masked checksum of the length, as far as verified."""
        self._reset()

    def _reset(self) -> None:
        self._half = b""
        self._skip = 0
        """Bytes of an overlong record that are still to come."""
        self._hole = False
        self._broken = ""

    @property
    def pending(self) -> int:
        """Bytes known to be unread; 0 at a hole, where reading again at once is useless."""
        return 0 if self._hole else self._tail.pending

    def read(self) -> RecordChunk | None:
        """Return the next complete records, perhaps none; None if there is nothing new.

        Raises:
            ReadError: The length of the next record is corrupt, and so no later record can be
                found; or the file may not be read.
        """
        content = self._tail.read(HEADER + len(HOLE) if self._hole else CHUNK)
        self.replaced = self._tail.replaced
        if self.replaced:
            self._reset()
        if self._broken:
            raise ReadError(self._broken)
        if not content and not self.replaced:
            return None
        skipped = min(self._skip, len(content))
        self._skip -= skipped
        data = b"".join((self._half, content[skipped:], PADDING))
        offset = self._tail.offset - len(data) + len(PADDING)
        chunk = self._cut(data, offset)
        return None if self._hole and not (len(chunk) or self.replaced) else chunk

    def _cut(self, data: bytes, offset: int) -> RecordChunk:
        end = len(data) - len(PADDING)
        places = self._walk(data, end, offset)
        last = int(places[-1])
        if self._hole:
            self._tail.unread(end - last)
        self._skip += max(0, last - end)
        self._half = b"" if self._hole else data[last:end]
        lengths = np.diff(places) - (HEADER + FOOTER)
        starts = places[:-1] + HEADER
        if not len(lengths) or lengths.max() <= LARGEST:
            return RecordChunk(data, starts, lengths, offset)
        kept = lengths <= LARGEST
        overlong = zip((starts[~kept] + offset).tolist(), lengths[~kept].tolist(), strict=True)
        return RecordChunk(data, starts[kept], lengths[kept], offset, tuple(overlong))

    def _walk(self, data: bytes, end: int, offset: int) -> Ints:
        """Where each complete record begins, and where the last one ends."""
        parts: list[Ints] = [np.zeros(1, np.int64)]
        patience = 2 * WINDOW
        self._hole = False
        while True:
            place = int(parts[-1][-1])
            steps = self._step(data, place, end, offset, patience)
            parts.append(np.array(steps, np.int64))
            if len(steps) < patience:
                return np.concatenate(parts)
            ahead = self._repeat(data, steps, end)
            # Records that do not repeat are faster to walk one by one.
            patience = 2 * WINDOW if len(ahead) > 4 * WINDOW else min(4096, 2 * patience)
            if len(ahead):
                parts.append(ahead)

    def _step(self, data: bytes, place: int, end: int, offset: int, most: int) -> list[int]:
        """End of each of the next records: at most `most`, fewer at the end of the data."""
        places, known = list[int](), self._known
        unpack, limit = _header.unpack_from, end - HEADER
        for _ in range(most):
            if place > limit:
                break
            length, crc = unpack(data, place)
            if known.get(length) != crc and not self._verify(data, place, offset):
                break
            place += length + HEADER + FOOTER
            if place > end and length <= LARGEST:
                break
            places.append(place)
        return places

    def _repeat(self, data: bytes, places: list[int], end: int) -> Ints:
        """Where the next records end, all at once, while their lengths keep repeating.

        A training writes the same tags over and over. Each header is compared with that of the
        record one cycle before, so a wrong guess is never followed.
        """
        strides = [after - before for before, after in pairwise(places)]
        recent = strides[-WINDOW:]
        cycles = (n for n in range(1, WINDOW) if strides[-WINDOW - n : -n] == recent)
        period = next(cycles, WINDOW)
        cycle = np.array(strides[-period:], np.int64)
        repeats = (end - places[-1]) // int(cycle.sum())
        known = [self._known.get(stride - HEADER - FOOTER) for stride in strides[-period:]]
        if period == WINDOW or repeats < 1 or None in known:
            return np.zeros(0, np.int64)
        crcs = np.array(known, np.uint32)
        ends = places[-1] + np.cumsum(np.tile(cycle, repeats))
        starts, count = ends - np.tile(cycle, repeats), len(data) - HEADER
        lengths = np.ndarray((count,), "<u8", data, 0, (1,))[starts]
        checks = np.ndarray((count,), "<u4", data, 8, (1,))[starts]
        same = (lengths == np.tile(cycle - HEADER - FOOTER, repeats).astype(np.uint64)) & (
            checks == np.tile(crcs, repeats)
        )
        return ends if same.all() else ends[: int(np.argmin(same))]

    def _verify(self, data: bytes, place: int, offset: int) -> bool:
        """Whether a header not seen before is valid; else note what is wrong with it."""
        length, crc = _header.unpack_from(data, place)
        if (not length and not crc) or _is_cut(data, place):
            self._hole = True
        elif length >= _CORRUPT or masked(crc32c(data[place : place + 8])) != crc:
            self._broken = (
                f"{self.path}: record header at byte {offset + place:,} is corrupt; "
                "what follows cannot be read"
            )
        else:
            if len(self._known) >= 4096:
                self._known.clear()
            self._known[length] = crc
            return True
        return False


def _is_cut(data: bytes, place: int) -> bool:
    """Whether a hole begins within a header, as far as the file goes."""
    behind = data[place : place + HEADER + len(HOLE)].removesuffix(PADDING)
    return len(behind) > HEADER and not any(behind[HEADER - 1 :])


Words = NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, bit-reversed."""

REACH = 512
"""Bytes that the position tables span; longer buffers are folded block by block."""

_MASK_DELTA = 0xA282EAD8


@cache
def position_tables() -> Words:
    """Return the contribution of a byte by the number of bytes after it and by its value.

    Of shape (REACH, 256).
    """
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, (first >> 1) ^ np.uint32(_POLYNOMIAL), first >> 1)
    tables = np.empty((REACH, 256), np.uint32)
    tables[0] = first
    for k in range(1, REACH):
        tables[k] = first[tables[k - 1] & 0xFF] ^ (tables[k - 1] >> 8)
    return tables


@cache
def _byte_table() -> tuple[int, ...]:
    return tuple(position_tables()[0].tolist())


@cache
def _block_tables() -> tuple[tuple[int, ...], ...]:
    """Effect of a whole block on each byte of a checksum, the lowest byte first."""
    return tuple(tuple(position_tables()[REACH - 1 - i].tolist()) for i in range(4))


@cache
def _block_rows() -> NDArray[np.intp]:
    return 256 * np.arange(REACH - 1, -1, -1, dtype=np.intp)


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of a buffer."""
    if len(data) > 256:
        return _folded(data)
    table, crc = _byte_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """Return the checksum as a record stores it: rotated and shifted."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def unmasked(stored: Words) -> Words:
    """Undo `masked` for a column of stored checksums."""
    rotated = stored - np.uint32(_MASK_DELTA)
    unrotated: Words = (rotated >> np.uint32(17)) | (rotated << np.uint32(15))
    return unrotated


def _folded(data: bytes) -> int:
    """Checksum of a long buffer: all blocks at once, then one step per block."""
    padding = -len(data) % REACH
    padded = np.zeros(padding + len(data), np.uint8)
    padded[padding:] = np.frombuffer(data, np.uint8)
    # The start value is equivalent to inverting the first four bytes.
    padded[padding : padding + 4] ^= 0xFF
    flat = position_tables().reshape(-1)
    contributions = flat[padded.reshape(-1, REACH) + _block_rows()]
    low, second, third, high = _block_tables()
    crc = 0
    for block in np.bitwise_xor.reduce(contributions, axis=1).tolist():
        moved = low[crc & 0xFF] ^ second[crc >> 8 & 0xFF] ^ third[crc >> 16 & 0xFF]
        crc = moved ^ high[crc >> 24] ^ block
    return crc ^ 0xFFFFFFFF
