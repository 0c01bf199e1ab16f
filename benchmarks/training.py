"""What a training on the same machine loses while its steps are shown.

python -m benchmarks.training [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.pairs import in_turns, row
from benchmarks.screen import COMPILED, lossmon
from benchmarks.terminal import started

TRAINING = """
import json, sys, time
log = open(sys.argv[1], "a")
begin, step = time.process_time(), 0
while time.process_time() - begin < float(sys.argv[2]):
    total = 0
    for number in range(60_000):
        total += number * number % 7
    step += 1
    log.write(json.dumps({"current_steps": step, "total_steps": 10**6, "loss": 2 / step}) + "\\n")
    log.flush()
print(step / (time.process_time() - begin))
"""
"""A training that needs nothing but the processor, and prints its steps per CPU second."""

CPU_SECONDS = 4.0
"""CPU time of each training; as many run as there are cores."""


def steps_per_cpu_second(root: Path) -> float:
    """Train on all cores at once."""
    cores = os.cpu_count() or 1
    programs = []
    for number in range(cores):
        log = root / f"run{number}" / "trainer_log.jsonl"
        log.parent.mkdir(exist_ok=True)
        log.unlink(missing_ok=True)
        command = [sys.executable, "-c", TRAINING, str(log), str(CPU_SECONDS)]
        programs.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    return sum(float(program.communicate()[0]) for program in programs)


def watched_steps(root: Path) -> float:
    """The same with a screen that shows them."""
    terminal = started(lossmon(root), (120, 40), COMPILED)
    try:
        terminal.until(lambda rows: any(row.strip() for row in rows), most=10)
        return steps_per_cpu_second(root)
    finally:
        terminal.end()


def slow_down(root: Path, rounds: int) -> None:
    """Print how many steps per CPU second the trainings lose."""
    root.mkdir()
    ratio = in_turns(lambda: watched_steps(root), lambda: steps_per_cpu_second(root), rounds)
    figure = f"{100 * (1 - ratio.middle):+.1f} % of its steps per CPU s"
    row("slow-down of a CPU-bound training", figure, f"{ratio} alone", "1 %")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        slow_down(Path(kept) / "training", options.rounds)


if __name__ == "__main__":
    main()
