"""What a look without a screen costs: the status line, the verdict and the picture, beside the
start of the bare interpreter.

The programs alternate, and the quickest of each counts: all that is added to it is the rest of the
machine.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.screen import COMPILED, write_log

REPEATS = 6
"""Runs of each program."""


def cost(command: list[str], cache: Path) -> tuple[float, float]:
    """Seconds of wall time and of processor time that a program takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    environment = {**os.environ, **COMPILED, "XDG_CACHE_HOME": str(cache)}
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as kept:
        base = Path(kept)
        log = base / "trainer_log.jsonl"
        write_log(log, 2_000, total=2_000)
        # What was written just now would not be compared, since more may come.
        os.utime(log, (time.time() - 60, time.time() - 60))
        os.utime(base, (time.time() - 60, time.time() - 60))
        lossmon = [sys.executable, "-m", "lossmon"]
        programs = {
            "bare interpreter": ([sys.executable, "-c", "pass"], "the floor"),
            "status line of tmux, cached": (
                [*lossmon, "check", "--format", "tmux", str(log)],
                "150 ms",
            ),
            "lossmon check, 2,000 steps": ([*lossmon, "check", str(log)], "350 ms"),
            "lossmon --once, 2,000 steps": (
                [*lossmon, str(log), "--once", "--no-hardware"],
                "1000 ms",
            ),
        }
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for _ in range(REPEATS + 1):
            for name, (command, _) in programs.items():
                measured[name].append(cost(command, base / "cache"))
        for name, (_, target) in programs.items():
            wall, cpu = (min(figure) * 1e3 for figure in zip(*measured[name][1:], strict=True))
            print(f"{name:<36}{f'{wall:.0f} ms, {cpu:.0f} ms of a core':<36}{target}")


if __name__ == "__main__":
    main()
