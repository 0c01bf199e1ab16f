"""Memory of large logs and of one that grows without end.

python -m benchmarks.memory [--points 10000000] [--seconds 60]

Of the 77 MB of the screen of 100,000 steps, a bare Textual app takes 34; 4 of them are OpenSSL,
which a screen of local files leaves out. numpy and its BLAS take 14, psutil, watchdog and msgspec
3, our code 9, and what is read and drawn of a run of 2,000 steps 5. The columns take 12: values
4.8, times 4.8, steps and positions 1.7, samples of the two logs that do not lead 0.2. The readers
of both formats, the tables of checksums and the curves take the other 5. What is left to gain is in
the times: as distances from a line they would take half, but whoever looks at a series would have
to decode them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks import ingest_events
from benchmarks.pairs import cost_of, in_turns, row
from benchmarks.screen import COMPILED, lossmon, write_log
from benchmarks.terminal import has_curve, has_text, run, started

NAMES = 500
"""Series of the log of many points."""

TAGS, RATE = 20, 2_000
"""Series of the log that grows, and its lines per second."""


def on_screen(root: Path) -> None:
    """A TensorBoard run of 100,000 steps with JSON lines and text beside it."""
    run_ = root / "run"
    run_.mkdir()
    ingest_events.write(
        run_ / "events.out.tfevents.1760000000.host.1.0", ingest_events.TAGS, 600_000
    )
    write_log(run_ / "trainer_log.jsonl", 100_000)
    lines = (f"step {step}: loss {2 / (step + 1):.6f}\n" for step in range(1, 100_001))
    (run_ / "train.log").write_text("".join(lines))

    def ours() -> float:
        return run(lossmon(run_), shows=has_curve, settle=8, seconds=2, environment=COMPILED).memory

    def bare() -> float:
        command = [sys.executable, "-m", "benchmarks.bare"]
        return run(command, shows=has_text("bare floor"), settle=1, seconds=1).memory

    ratio = in_turns(ours, bare, 2)
    row(
        "100,000 steps, three logs, resident",
        f"{ratio.ours / 1e6:.0f} MB",
        f"{ratio} bare",
        "75 MB",
    )


def many_points(root: Path, points: int) -> None:
    """JSON lines of many series, checked; beside it half as many points."""
    check = [sys.executable, "-m", "lossmon", "check"]
    whole = cost_of([*check, str(write_wide(root / "whole", points))], bound=150)
    half = cost_of([*check, str(write_wide(root / "half", points // 2))], bound=100)
    figure = f"{whole.memory / 1e6:.0f} MB, {whole.cpu:.1f} CPU s"
    beside = f"{whole.cpu / half.cpu:.2f}x half as many, beside 2"
    row(f"{points / 1e6:g}M points, {NAMES} series", figure, beside, "150 MB, 12 s, linear")


def write_wide(directory: Path, points: int) -> Path:
    """Write JSON lines with `NAMES` names each."""
    directory.mkdir()
    rest = ", ".join(f'"layer{number}/norm": {1 / (number + 2):.5f}' for number in range(NAMES - 1))
    with (directory / "metrics.jsonl").open("w") as file:
        for step in range(points // NAMES):
            file.write(f'{{"step": {step}, "loss": {2 / (step + 1):.5f}, {rest}}}\n')
    return directory


def soak(root: Path, seconds: float) -> None:
    """A log that grows by thousands of lines per second while it is shown."""
    root.mkdir()
    log, ended = root / "metrics.jsonl", threading.Event()

    def grow() -> None:
        rest = ", ".join(f'"m{number}": {number}.5' for number in range(TAGS - 1))
        step, begin = 0, time.monotonic()
        with log.open("a") as file:
            while not ended.wait(0.1):
                now = int((time.monotonic() - begin) * RATE)
                file.writelines(
                    f'{{"step": {number}, "loss": {2 / (number + 1):.5f}, {rest}}}\n'
                    for number in range(step, now)
                )
                step = now
                file.flush()

    thread = threading.Thread(target=grow, daemon=True)
    thread.start()
    terminal = started(lossmon(root), (120, 40), COMPILED)
    memory, process = list[int](), psutil.Process(terminal.pid)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end and terminal.pump(0.1):
            memory.append(process.memory_info().rss)
    finally:
        ended.set()
        thread.join()
        terminal.end()
    third = max(1, len(memory) // 3)
    first, last = max(memory[:third]) / 1e6, max(memory[-third:]) / 1e6
    name = f"{RATE:,} lines/s x {TAGS} tags, {seconds:.0f} s"
    row(name, f"{last:.0f} MB", f"{last / first:.2f}x the first third", "flat")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        base = Path(kept)
        for name in ("screen", "points"):
            (base / name).mkdir()
        on_screen(base / "screen")
        many_points(base / "points", options.points)
        soak(base / "soak", options.seconds)


if __name__ == "__main__":
    main()
