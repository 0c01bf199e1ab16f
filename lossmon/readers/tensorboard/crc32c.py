"""CRC-32C, the checksum of TensorBoard's records, for one buffer or for columns of many records.

The checksum is linear over exclusive or: a byte with `k` bytes after it contributes
`position_tables()[k][byte]`, whatever its neighbours are. So a column of bytes that differ from
record to record costs one table look-up each, and bytes that are equal in all records are
computed once.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

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
