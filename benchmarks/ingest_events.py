"""Speed of reading TensorBoard event files, compared with TensorBoard's two readers.

Writes its own files: `python benchmarks/ingest_events.py [EVENTS]`, one million by default.

Of the 0.32 CPU seconds that `lossmon check` takes for a million scalars of six tags beyond its
start, 0.15 go into decoding them with their checksums, which the data server does not verify, 0.03
into storing all of them, where it keeps 1,000 per tag, 0.08 into the 321 judgements of two losses
that are logged at every step, 0.05 into the bins that these are made from, and 0.01 into reports.
"""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pairs import in_turns, row
from lossmon.readers.tensorboard.reader import EventReader
from lossmon.readers.tensorboard.tfrecord import FOOTER, HEADER, crc32c, masked, position_tables
from lossmon.types import Floats, Ints

AnyArray = NDArray[Any]

TAGS = (
    *("train/loss", "train/grad_norm", "train/learning_rate"),
    *("train/epoch", "train/tokens_per_second", "eval/loss"),
)
"""Tags that a Trainer logs at every step."""

STARTED = 1_760_000_000.0

FILE = "events.out.tfevents.1760000000.benchmark"


def write(path: Path, tags: Sequence[str], events: int) -> None:
    """Write an event file as PyTorch does, the tags interleaved."""
    from tensorboard.compat.proto.event_pb2 import Event

    noise, indices = np.random.default_rng(7), np.arange(events)
    walls = STARTED + indices * 0.13 + noise.random(events) / 10
    values, steps = noise.normal(2.0, 0.3, events), indices // len(tags)
    lengths, parts = np.zeros(events, np.int64), list[tuple[Ints, AnyArray]]()
    for number, tag in enumerate(tags):
        for low, high in pairwise((0, 1, 1 << 7, 1 << 14, 1 << 21)):
            of_tag = slice(number + low * len(tags), high * len(tags), len(tags))
            if len(which := indices[of_tag]):
                event = Event(wall_time=STARTED, step=low)
                event.summary.value.add(tag=tag, simple_value=1.0)
                records = records_like(event, walls[which], steps[which], values[which])
                parts.append((which, records))
                lengths[which] = records.itemsize
    starts = np.cumsum(lengths) - lengths
    content = np.empty(int(lengths.sum()), np.uint8)
    for which, records in parts:
        anywhere = (len(content) - records.itemsize + 1,)
        np.ndarray(anywhere, records.dtype, content, 0, (1,))[starts[which]] = records
    head = Event(wall_time=STARTED, file_version="brain.Event:2")
    path.write_bytes(framed(head.SerializeToString()) + content.tobytes())


def records_like(event: Any, walls: Floats, steps: Ints, values: Floats) -> AnyArray:
    """Records that differ from an event with a scalar in time, step and value.

    Made at once: a million take half a second.

    Args:
        event: Takes as many bytes for its step as each of `steps`.
    """
    payload = event.SerializeToString()
    rows = np.tile(np.frombuffer(framed(payload), np.uint8), (len(walls), 1))
    bodies = rows[:, HEADER:-FOOTER]
    bodies[:, 1:9] = walls[:, None].view(np.uint8)
    bodies[:, -4:] = values.astype("<f4")[:, None].view(np.uint8)
    width = -(-event.step.bit_length() // 7)
    for at in range(width):
        bodies[:, 10 + at] = steps >> 7 * at & 0x7F | 0x80 * (at < width - 1)
    checks = np.full(len(rows), crc32c(payload))
    tables = position_tables()[len(payload) - 1 :: -1]
    for table, old, column in zip(tables, payload, bodies.T, strict=True):
        checks ^= table[old] ^ table[column]
    stored = (checks >> 15 | checks << 17) + masked(0) & 0xFFFFFFFF
    rows[:, -FOOTER:] = stored.astype("<u4")[:, None].view(np.uint8)
    return rows.view(f"V{rows.shape[1]}")[:, 0]


def framed(payload: bytes) -> bytes:
    """A message as a record."""
    head = struct.pack("<Q", len(payload))
    checks = [struct.pack("<I", masked(crc32c(part))) for part in (head, payload)]
    return head + checks[0] + payload + checks[1]


def ours(path: Path) -> int:
    """Read every point in calls of 50 ms, as the monitor does."""
    reader, points = EventReader(path), 0
    while True:
        batch = reader.read(time.monotonic() + 0.05)
        points += sum(len(column) for column in batch.points)
        if not batch.pending:
            return points


def accumulator(path: Path) -> int:
    """Read the file with TensorBoard's Python reader, keeping every point as we do."""
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    reader = EventAccumulator(str(path), size_guidance={SCALARS: 0})
    reader.Reload()
    return sum(len(reader.Scalars(tag)) for tag in reader.Tags()["scalars"])


def data_server(path: Path) -> int:
    """Start TensorBoard's data server (Rust) on the directory, until it says that it has loaded.

    It keeps a sample of 1,000 points a tag, and verifies no checksums.
    """
    import tensorboard_data_server  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        options = [f"--logdir={path.parent}", "--reload=once", "--verbose"]
        server = subprocess.Popen(
            [tensorboard_data_server.server_binary(), *options, f"--port-file={folder}/port"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stderr is not None
            next((line for line in server.stderr if "finished load cycle" in line.lower()), None)
        finally:
            server.kill()
            server.wait()
    return 0


def has_data_server() -> bool:
    """Whether the data server is installed: not every platform has it."""
    return importlib.util.find_spec("tensorboard_data_server") is not None


def check(path: Path) -> int:
    """Read, merge and judge a directory as users do."""
    command = [sys.executable, "-m", "lossmon", "check", str(path.parent)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return 0


def net(read: Callable[[Path], int], path: Path, start: Path) -> float:
    """Seconds for a file without the start-up, which is what a file of one point takes."""
    return max(1e-3, _once(read, path) - min(_once(read, start) for _ in range(2)))


def _once(read: Callable[[Path], int], path: Path) -> float:
    began = time.perf_counter()
    read(path)
    return time.perf_counter() - began


def compare_check(path: Path, events: int, tags: tuple[str, ...]) -> None:
    """Print `lossmon check` beside the data server, both net of their start-up."""
    if not has_data_server():
        print("  check beside the data server: tensorboard-data-server is not installed")
        return
    start = path.parent.parent / "start" / path.name
    start.parent.mkdir()
    write(start, tags, len(tags))
    ratio = in_turns(lambda: net(check, path, start), lambda: net(data_server, path, start), ROUNDS)
    figure = f"{ratio.ours:.2f} s, {events / ratio.ours:,.0f}/s"
    row("  lossmon check, net of start-up", figure, f"{ratio} data server", "1.0x")


ROUNDS = 5
"""Rounds of `lossmon check` beside the data server."""


def timed(read: Callable[[Path], int], path: Path) -> float:
    """The best of three runs, in seconds."""
    return min(_once(read, path) for _ in range(3))


def main() -> None:
    """Print one table for each file."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for tags in (TAGS[:1], TAGS):
        with tempfile.TemporaryDirectory() as folder:
            path, tenth = (Path(folder) / name / FILE for name in ("run", "tenth"))
            for file, count in ((path, events), (tenth, events // 10)):
                file.parent.mkdir()
                write(file, tags, count)
            size = path.stat().st_size / 1e6
            print(f"{events:,} scalars of {len(tags)} tags, {size:.0f} MB")
            base = timed(ours, path)
            rows = [
                ("lossmon", base),
                ("EventAccumulator, of a tenth", 10 * timed(accumulator, tenth)),
            ]
            if has_data_server():
                rows.append(("data server (Rust, 1,000 points a tag)", timed(data_server, path)))
            for name, seconds in rows:
                rate = events / seconds
                print(f"  {name:40} {seconds:7.2f} s {rate:12,.0f}/s {seconds / base:6.1f}x")
            compare_check(path, events, tags)


if __name__ == "__main__":
    main()
