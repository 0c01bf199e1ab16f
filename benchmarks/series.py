"""Cost of many series and of many runs, from the file to the verdict.

    python -m benchmarks.series [--names 4000] [--runs 100]

CPU time of one process, each the median of three with its spread. Beside it stands the plain way to
read the same files with the standard library. Twice as many records must take twice as long: the
last column is the time per point beside that of the shorter log.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.screen import write_log
from lossmon.monitor.monitor import Monitor

TIMES = 3
STEPS = 200
"""Steps of each of many runs."""

LINES = (40, 160)
"""Records of a log with many names."""


def write_wide(directory: Path, names: int, lines: int) -> Path:
    """Write JSON lines with many names and return their directory."""
    directory.mkdir()
    noise = random.Random(3)
    with (directory / "metrics.jsonl").open("w") as file:
        for step in range(lines):
            norms = {f"layer{number}/norm": round(noise.random(), 6) for number in range(names)}
            file.write(json.dumps({"step": step, "loss": 2 + noise.random(), **norms}) + "\n")
    return directory


def write_runs(root: Path, runs: int) -> Path:
    """Write a sweep of short runs and return its directory."""
    for number in range(runs):
        (root / f"run{number}").mkdir(parents=True)
        write_log(root / f"run{number}" / "trainer_log.jsonl", STEPS, total=STEPS)
    return root


def ours(path: Path) -> None:
    """Read and judge everything, as `lossmon check` does."""
    Monitor([path]).drain()


def floor(path: Path) -> None:
    """Parse the same lines with the standard library."""
    for log in path.rglob("*.jsonl"):
        with log.open() as file:
            for line in file:
                json.loads(line)


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Median and spread of the CPU time, as a share of the median."""
    times = []
    for _ in range(TIMES):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    middle = statistics.median(times)
    return middle, (max(times) - min(times)) / middle


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--names", type=int, default=4_000)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    print(f"{'':34}{'CPU':>9}{'spread':>8}{'json.loads':>12}{'ratio':>8}{'per point':>11}")
    with tempfile.TemporaryDirectory() as kept:
        before = 0.0
        for lines in LINES:
            path = write_wide(Path(kept) / str(lines), options.names, lines)
            each = _row(f"{options.names:,} series, {lines} records", path) / lines
            print(f"{each / before:10.2f}x" if before else f"{'1':>11}", flush=True)
            before = each
        path = write_runs(Path(kept) / "sweep", options.runs)
        each = _row(f"{options.runs:,} runs of {STEPS} steps", path) / options.runs
        print(f"{each * 1e3:8.1f} ms per run", flush=True)


def _row(name: str, path: Path) -> float:
    took, spread = seconds(partial(ours, path))
    plain, _ = seconds(partial(floor, path))
    print(f"{name:<34}{took:7.2f} s{spread:8.0%}{plain:10.3f} s{took / plain:7.1f}x", end="")
    return took


if __name__ == "__main__":
    main()
