"""Speed of reading TensorBoard event files, compared with TensorBoard's two readers.

Writes its own files: `python benchmarks/ingest_events.py [EVENTS]`, one million by default.
"""

from __future__ import annotations

import importlib.util
import math
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.pairs import in_turns, row
from lossmon.readers.tensorboard.reader import EventReader
from lossmon.readers.tensorboard.tfrecord import crc32c, masked

TAGS = (
    *("train/loss", "train/grad_norm", "train/learning_rate"),
    *("train/epoch", "train/tokens_per_second", "eval/loss"),
)
"""Tags that a Trainer logs at every step."""

STARTED = 1_760_000_000.0


def write(path: Path, tags: tuple[str, ...], events: int) -> None:
    """Write an event file as PyTorch does, the tags interleaved."""
    from tensorboard.compat.proto.event_pb2 import Event

    noise = random.Random(7)
    with path.open("wb") as file:
        file.write(framed(Event(wall_time=STARTED, file_version="brain.Event:2")))
        for i in range(events):
            event = Event(wall_time=STARTED + i * 0.13 + noise.random() / 10, step=i // len(tags))
            value = event.summary.value.add()
            value.tag, value.simple_value = tags[i % len(tags)], noise.gauss(2.0, 0.3)
            file.write(framed(event))


def framed(event: object) -> bytes:
    """A message as a record."""
    payload: bytes = event.SerializeToString()  # type: ignore[attr-defined]
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
    """The best of three runs, in seconds; one run where a run takes long."""
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        read(path)
        best = min(best, time.perf_counter() - began)
        if best > 10:
            break
    return best


def main() -> None:
    """Print one table for each file."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for tags in (TAGS[:1], TAGS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run" / "events.out.tfevents.1760000000.benchmark"
            path.parent.mkdir()
            write(path, tags, events)
            size = path.stat().st_size / 1e6
            print(f"{events:,} scalars of {len(tags)} tags, {size:.0f} MB")
            base = timed(ours, path)
            rows = [("lossmon", base)]
            if len(tags) > 1:
                # The number of tags hardly changes the quarter of a minute that this takes.
                rows.append(("EventAccumulator", timed(accumulator, path)))
            if has_data_server():
                rows.append(("data server (Rust, 1,000 points a tag)", timed(data_server, path)))
            for name, seconds in rows:
                rate = events / seconds
                print(f"  {name:40} {seconds:7.2f} s {rate:12,.0f}/s {seconds / base:6.1f}x")
            compare_check(path, events, tags)


if __name__ == "__main__":
    main()
