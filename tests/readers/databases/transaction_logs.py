"""Transaction logs made on purpose."""

from __future__ import annotations

from struct import pack
from zlib import crc32

from lossmon.readers.files.leveldb_log import BLOCK


def logged(header: bytes, *records: bytes) -> bytes:
    """Records as the bytes of a log, fragmented at the ends of blocks."""
    log = bytearray(header)
    for record in records:
        first = True
        while first or record:
            left = BLOCK - len(log) % BLOCK
            if left < 7:
                log += bytes(left)
                left = BLOCK
            part, record = record[: left - 7], record[left - 7 :]
            kind = bytes([(1 if first else 4) if not record else (2 if first else 3)])
            log += pack("<IH", crc32(kind + part), len(part)) + kind + part
            first = False
    return bytes(log)


def varint(number: int) -> bytes:
    """A number as protocol buffers write it."""
    encoded = b""
    while number > 0x7F:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def message(number: int, content: bytes) -> bytes:
    """A field that holds bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def history(**values: str) -> bytes:
    """A history record of W&B; two underscores stand for a slash."""
    items = b"".join(
        message(1, message(2, key.replace("__", "/").encode()) + message(16, value.encode()))
        for key, value in values.items()
    )
    return b"\x08\x01" + message(2, items)
