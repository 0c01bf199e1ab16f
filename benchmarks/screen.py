"""What the screen costs: start-up beside a bare Textual app, idle and live CPU, bytes, memory."""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.terminal import Cost, has_curve, has_text, run

REPEATS = 5
"""Starts of each program; the median counts, the two alternate so that both see one machine."""


def write_log(path: Path, steps: int, *, every: int = 1, start: int = 0) -> None:
    """Append a LLaMA-Factory log of a calm run: a train loss, and an eval loss every 50 points."""
    with path.open("a", encoding="utf-8") as file:
        for index in range(start, start + steps):
            file.write("".join(_records(index, every)))


def _records(index: int, every: int) -> Iterator[str]:
    step = (index + 1) * every
    loss = 0.4 + 2.0 / math.sqrt(1 + step / 50) + 0.03 * math.sin(index * 12.9898)
    common = {"current_steps": step, "total_steps": 10_000_000, "epoch": step / 1000}
    yield json.dumps({**common, "loss": loss, "lr": 1e-4}) + "\n"
    if (index + 1) % 50 == 0:
        yield json.dumps({**common, "eval_loss": loss * 1.05}) + "\n"


@contextmanager
def growing(path: Path, start: int, per_second: float) -> Iterator[None]:
    """Append points to a log in the background."""
    ended = threading.Event()

    def grow() -> None:
        index = start
        while not ended.wait(1 / per_second):
            write_log(path, 1, start=index)
            index += 1

    thread = threading.Thread(target=grow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def lossmon(path: Path) -> list[str]:
    """The command that watches a path."""
    return [sys.executable, "-m", "lossmon", str(path)]


def start_up(directory: Path) -> tuple[float, float]:
    """Median seconds to the first curve of a 2,000-step run, and to a bare app's first paint."""
    write_log(directory / "trainer_log.jsonl", 2_000)
    ours, bare = [], []
    for _ in range(REPEATS):
        bare.append(_shown(run([sys.executable, "-m", "benchmarks.bare"], shows=has_text("bare"))))
        ours.append(_shown(run(lossmon(directory), shows=has_curve)))
    return statistics.median(ours), statistics.median(bare)


def _shown(cost: Cost) -> float:
    if cost.shown is None:
        raise SystemExit("nothing was painted:\n" + "\n".join(cost.display))
    return cost.shown


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as kept:
        base = Path(kept)
        for name in ("start", "idle", "live", "long"):
            (base / name).mkdir()
        ours, bare = start_up(base / "start")
        print(
            f"first curve, 2,000 steps    {ours:8.3f} s   {ours / bare:5.2f} x a bare Textual app"
        )
        write_log(base / "idle" / "trainer_log.jsonl", 2_000)
        _row("idle", run(lossmon(base / "idle"), shows=has_curve, settle=5, seconds=10))
        log = base / "live" / "trainer_log.jsonl"
        write_log(log, 2_000)
        with growing(log, 2_000, 10):
            time.sleep(0.5)
            cost = run(lossmon(base / "live"), shows=has_curve, settle=5, seconds=20)
        _row("live, 10 steps/s, 120x40", cost)
        write_log(base / "long" / "trainer_log.jsonl", 100_000)
        _row("100,000 steps", run(lossmon(base / "long"), shows=has_curve, settle=6, seconds=5))


def _row(name: str, cost: Cost) -> None:
    print(
        f"{name:<26} {cost.cpu * 100:6.2f} % of a core   {cost.bytes_per_second:7.0f} bytes/s   "
        f"{cost.memory / 1e6:6.1f} MB resident   first curve {cost.shown or math.nan:.2f} s"
    )


if __name__ == "__main__":
    main()
