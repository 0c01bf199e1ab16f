"""Cost of a live screen: CPU time, bytes and wake-ups per second, and the delay of a step.

A bare Textual app that changes one line twice per second is the floor of the first, `tail -f` of
the second. Takes about two minutes.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pairs import ratio_of
from benchmarks.screen import COMPILED, lossmon, write_log
from benchmarks.terminal import Cost, Emulated, has_curve, has_text, run, started

SECONDS = 4.0
"""Time in which each figure is measured."""

ROUNDS = 3
"""Rounds, each of the floor and of every row."""

STEPS = 12
"""Steps whose delay is measured."""

WRITES = 50
"""Most writes per second; several steps share one."""


@contextmanager
def training(log: Path, per_second: float, tags: int) -> Iterator[None]:
    """Append steps with a loss and so many further metrics to a log in the background."""
    ended = threading.Event()
    batch = max(1, round(per_second / WRITES))

    def train() -> None:
        step, due = 2_000, time.monotonic()
        while not ended.is_set():
            with log.open("a", encoding="utf-8") as file:
                file.writelines(_record(step + 1 + at, tags) for at in range(batch))
            step, due = step + batch, due + batch / per_second
            ended.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _record(step: int, tags: int) -> str:
    loss = 0.4 + 2.0 / math.sqrt(1 + step / 50) + 0.03 * math.sin(step * 12.9898)
    more = {f"metric_{tag}": loss * tag + 0.01 * math.sin(step * tag) for tag in range(1, tags)}
    return json.dumps({"current_steps": step, "total_steps": 10**7, "loss": loss, **more}) + "\n"


def live(base: Path, per_second: float, tags: int) -> Cost:
    """What lossmon costs on a run with so many steps per second."""
    base.mkdir()
    log = base / "trainer_log.jsonl"
    write_log(log, 2_000)
    if not per_second:
        return _measured(lossmon(base))
    with training(log, per_second, tags):
        return _measured(lossmon(base))


def _measured(command: list[str]) -> Cost:
    shows = has_text("bare floor") if command[-1] == "--live" else has_curve
    return run(command, shows=shows, settle=4, seconds=SECONDS, environment=COMPILED)


def delays(command: list[str], log: Path) -> list[float]:
    """Seconds from the end of each write to the moment at which the step stands on the screen."""
    write_log(log, 2_000)
    terminal = started(command, (120, 40), COMPILED)
    try:
        terminal.until(has_text("2,000"), most=10.0)
        terminal.settle(quiet=2.0, most=6.0)
        return [_delay(terminal, log, step) for step in range(2_001, 2_001 + STEPS)]
    finally:
        terminal.end()


def _delay(terminal: Emulated, log: Path, step: int) -> float:
    terminal.settle(quiet=0.6 + random.random(), most=3.0)
    with log.open("a", encoding="utf-8") as file:
        file.write(_record(step, 1))
    written = time.monotonic()
    marks = (f"{step:,}", f": {step},")
    while not any(mark in row for row in terminal.rows() for mark in marks):
        if time.monotonic() - written > 5.0 or not terminal.pump(0.01):
            break
    return time.monotonic() - written


def main() -> None:
    """Print both tables."""
    random.seed(0)
    with tempfile.TemporaryDirectory() as kept:
        base = Path(kept)
        print(f"{'':<28}{'of a core':>10}  {'floors':<22}{'bytes/s':>9}{'wake-ups/s':>12}")
        bare = [sys.executable, "-m", "benchmarks.bare", "--live"]
        rounds = [
            {
                "a bare Textual app, live": _measured(bare),
                "a finished run": live(base / f"idle{count}", 0, 1),
                "10 steps/s, 2 metrics": live(base / f"slow{count}", 10, 2),
                "1,000 steps/s, 20 metrics": live(base / f"fast{count}", 1_000, 20),
            }
            for count in range(ROUNDS)
        ]
        for name in rounds[0]:
            _row(name, [one[name] for one in rounds], [next(iter(one.values())) for one in rounds])
        log = base / "delay" / "trainer_log.jsonl"
        log.parent.mkdir()
        peer = delays(["tail", "-n", "1", "-f", str(log)], log)
        log.unlink()
        ours = delays(lossmon(log.parent), log)
        print("step written until its number is on the screen")
        for name, found in (("tail -f", peer), ("lossmon", ours)):
            p99 = sorted(found)[round(0.99 * (len(found) - 1))]
            print(
                f"{name:<28}p50 {statistics.median(found) * 1e3:4.0f} ms   p99 {p99 * 1e3:4.0f} ms"
            )


def _row(name: str, costs: Sequence[Cost], floors: Sequence[Cost]) -> None:
    ratio = ratio_of([(one.cpu, floor.cpu) for one, floor in zip(costs, floors, strict=True)])
    middle = sorted(costs, key=lambda one: one.cpu)[len(costs) // 2]
    rest = f"{middle.bytes_per_second:>9.0f}{middle.wakeups:>12.1f}"
    print(f"{name:<28}{middle.cpu * 100:>8.2f} %  {ratio!s:<22}{rest}", flush=True)


if __name__ == "__main__":
    main()
