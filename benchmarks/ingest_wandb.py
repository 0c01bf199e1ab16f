"""Speed of reading W&B transaction logs.

Writes its own file: `python -m benchmarks.ingest_wandb [CALLS]`, 50,000 calls of `log` by default,
each of which makes a history record and two summary records, as W&B writes them.
"""

from __future__ import annotations

import math
import random
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

from lossmon.readers.files.leveldb_log import BLOCK
from lossmon.readers.wandb.reader import MAGIC, WandbReader

KEYS = ("train/loss", "train/grad_norm", "train/learning_rate", "train/epoch", "eval/loss")


def field(number: int, content: bytes) -> bytes:
    """A field that holds fewer than 2**14 bytes."""
    key, length = number << 3 | 2, len(content)
    head = bytes([key]) if key < 128 else bytes([key & 0x7F | 0x80, key >> 7])
    size = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
    return head + size + content


def pairs(values: dict[str, float]) -> bytes:
    """Key and value items."""
    return b"".join(
        field(1, field(2, key.encode()) + field(16, repr(value).encode()))
        for key, value in values.items()
    )


def write(path: Path, calls: int) -> int:
    """Write a log; return the number of its records."""
    noise, log = random.Random(7), bytearray(MAGIC + b"\0")
    for call in range(calls):
        values: dict[str, float] = {key: noise.random() for key in KEYS}
        own: dict[str, float] = {"_step": call, "_timestamp": 1.7e9 + call, "_runtime": call / 2}
        summary = field(3, pairs(values))
        for record in (field(2, pairs(values | own)), summary, summary):
            append(log, b"\x08\x01" + record)
    path.write_bytes(log)
    return 3 * calls


def append(log: bytearray, record: bytes) -> None:
    """Append a record, in fragments where a block ends."""
    kinds, first = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}, True
    while first or record:
        left = BLOCK - len(log) % BLOCK
        if left < 7:
            log += bytes(left)
            left = BLOCK
        part, record = record[: left - 7], record[left - 7 :]
        kind = bytes([kinds[first, not record]])
        log += struct.pack("<IH", zlib.crc32(kind + part), len(part)) + kind + part
        first = False


def main() -> None:
    """Print one line."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run-1.wandb"
        records, best = write(path, calls), math.inf
        for _ in range(3):
            reader, began = WandbReader(path), time.perf_counter()
            while reader.read(time.monotonic() + 0.05).pending:
                pass
            best = min(best, time.perf_counter() - began)
        rate, size = records / best, path.stat().st_size / 1e6
        print(f"{records:,} records, {size:.0f} MB: {best:.2f} s, {rate:,.0f} records/s")


if __name__ == "__main__":
    main()
