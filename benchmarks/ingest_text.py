"""Speed of reading text logs: lines and megabytes per second of CPU time.

Run with `python benchmarks/ingest_text.py [MILLIONS OF LINES]`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lossmon.readers.text.reader import TextReader

Lines = Callable[[int], Iterator[str]]


def nanogpt(count: int) -> Iterator[str]:
    for i in range(count):
        if i % 100 == 0:
            yield f"step {i}: train loss {2 + 1 / (i + 1):.4f}, val loss {2.1 + 1 / (i + 1):.4f}\n"
        yield f"iter {i}: loss {2 + 1 / (i + 1):.4f}, time {400 + i % 90}.{i % 99}ms, mfu 1.31%\n"


def piped(count: int) -> Iterator[str]:
    for i in range(count):
        loss = 2 + 1 / (i + 1)
        yield f"step {i}/{count} | loss {loss:.6f} | lr {1e-4:.2e} | grad_norm 1.{i % 999}\n"


def logged(count: int) -> Iterator[str]:
    for i in range(count):
        clock = f"2026-11-21 {i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02},{i % 1000:03}"
        loss = 2 + 1 / (i + 1)
        yield f"{clock} - INFO - Epoch {i // 1000} Iter {i} Train Loss: {loss:.5f} LR: 1e-3\n"


def trainer(count: int) -> Iterator[str]:
    for i in range(count):
        yield (
            f"{{'loss': {2 + 1 / (i + 1):.4f}, 'grad_norm': {1 + i % 7 / 10}, "
            f"'learning_rate': {1e-5 * (1 - i / count)}, 'epoch': {i / 1000:.2f}}}\n"
        )


def megatron(count: int) -> Iterator[str]:
    for i in range(count):
        yield (
            f" iteration {i:8}/{count:8} | consumed samples: {i * 1024:12} | "
            f"elapsed time per iteration (ms): 22306.{i % 9} | learning rate: 9.850E-05 | "
            f"global batch size:  1024 | lm loss: {2 + 1 / (i + 1):.6E} | loss scale: 32768.0 | "
            f"grad norm: 0.{i % 999:03} | number of skipped iterations:   0 | "
            "number of nan iterations:   0 |\n"
        )


def junk(count: int) -> Iterator[str]:
    for i in range(count):
        yield f"INFO worker {i % 8} fetched shard {i} of the data set in {i % 100} ms\n"


def prose(count: int) -> Iterator[str]:
    words = [
        "the",
        "value",
        "of",
        "a",
        "test",
        "was",
        "accepted",
        "at",
        "step",
        "several",
        "times",
        "and",
        "evaluated",
        "again",
    ]
    for i in range(count):
        yield " ".join(words[(i * 7 + k * k) % len(words)] for k in range(14)) + f" {i}\n"


def answers(count: int) -> Iterator[str]:
    for i in range(count):
        who = chr(97 + i % 26) + chr(97 + i // 26 % 26)
        yield f"Q{i}: {i} + {i % 7} = {i + i % 7}, accepted by {who}\n"


def bars(count: int) -> Iterator[str]:
    yield "start\n"
    for i in range(count):
        full = "█" * (10 * i // count)
        yield f"\r{100 * i // count:3}%|{full:<10}| {i}/{count} [00:01<00:09, {i % 90}.21it/s]"
    yield "\n"


def postfixes(count: int) -> Iterator[str]:
    for i in range(count):
        full = "█" * (10 * i // count)
        yield (
            f"\rEpoch 1: {100 * i // count:3}%|{full:<10}| {i // 10}/{count} "
            f"[00:01<00:09, {i % 90}.21it/s, loss={2 + 1 / (i + 1):.3f}, v_num=1]"
        )
    yield "\n"


def measure(name: str, lines: Lines, count: int, folder: Path) -> None:
    """Write a log, read it, and print the rate."""
    path = folder / f"{name}.log"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines(count))
    size = path.stat().st_size
    reader, points, longest = TextReader(path), 0, 0.0
    begin = time.process_time()
    while True:
        call = time.perf_counter()
        batch = reader.read(time.monotonic() + 0.05)
        longest = max(longest, time.perf_counter() - call)
        points += sum(map(len, batch.points))
        if not batch.pending:
            break
    seconds = time.process_time() - begin
    print(
        f"{name:10} {count / seconds / 1000:8.0f} k lines/s {size / seconds / 1e6:7.0f} MB/s "
        f"{points:9} points   longest call {longest * 1000:4.0f} ms"
    )
    path.unlink()


def main() -> None:
    count = int(float(sys.argv[1] if len(sys.argv) > 1 else "0.3") * 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        for lines in (
            nanogpt,
            piped,
            logged,
            trainer,
            megatron,
            junk,
            prose,
            answers,
            bars,
            postfixes,
        ):
            measure(lines.__name__, lines, count, Path(folder))


if __name__ == "__main__":
    main()
