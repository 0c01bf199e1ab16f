"""Speed of reading W&B transaction logs.

Writes its own file: `python -m benchmarks.ingest_wandb [CALLS]`, 100,000 calls of `log` by default,
each of which makes a history record and two summary records, as W&B writes them.
"""

from __future__ import annotations

import json
import math
import random
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.pairs import cpu_of, in_turns, row
from benchmarks.screen import COMPILED, lossmon
from benchmarks.terminal import has_text, run
from lossmon.readers.files.leveldb_log import BLOCK
from lossmon.readers.wandb.reader import MAGIC, WandbReader

KEYS = (
    *("train/loss", "train/grad_norm", "train/learning_rate"),
    *("train/epoch", "train/tokens_per_second", "eval/loss"),
)


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


def ours(path: Path) -> None:
    """Read every point in calls of 50 ms, as the monitor does."""
    reader = WandbReader(path)
    while reader.read(time.monotonic() + 0.05).pending:
        pass


def floor(calls: int) -> None:
    """Decode as many values with `json.loads`, which is what the library itself does."""
    for call in range(calls):
        for _ in range(3 * len(KEYS)):
            json.loads(f"0.{call}")


def shown(path: Path, calls: int) -> float:
    """Seconds until the screen shows the last step, start-up included."""
    last = f"{calls - 1:,}"

    def whole(display: Sequence[str]) -> bool:
        return has_text(last)(display) and not has_text("reading")(display)

    cost = run(lossmon(path.parent), shows=whole, settle=40.0, environment=COMPILED)
    return math.nan if cost.shown is None else cost.shown


def main() -> None:
    """Print the table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    bare = [sys.executable, "-m", "benchmarks.bare"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run-1.wandb"
        records = write(path, calls)
        read = in_turns(
            partial(cpu_of, partial(ours, path)), partial(cpu_of, partial(floor, calls))
        )
        name = f"{calls:,} steps x {len(KEYS)} metrics, read"
        row(name, f"{read.ours:.2f} CPU s, {records / read.ours:,.0f} records/s", f"{read} json")
        whole = in_turns(
            lambda: shown(path, calls),
            lambda: run(bare, shows=has_text("bare floor")).shown or math.nan,
        )
        row("the same, all shown", f"{whole.ours:.2f} s", f"{whole} bare Textual", "1.8 s")


if __name__ == "__main__":
    main()
