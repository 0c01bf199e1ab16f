"""Cost of 1,000 runs on the screen: first frame, response to keys, CPU and memory.

python -m benchmarks.fleet [--runs N] [--live N]

Takes about two minutes. What is waited for is read off an emulated terminal, so a figure holds
everything: the interpreter, the imports, the reading, the judging and the drawing. Beside each
stands what it would be at the least: a bare Textual app, or a single run.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.pairs import cost_of, in_turns, row
from benchmarks.screen import COMPILED, bare, growing, lossmon, shown, write_log
from benchmarks.terminal import Cost, Probe, has_curve, has_text, run

STEPS = 200
"""Logged steps per run, as in a sweep of short runs."""

FILES = 10
"""Files per run, of which one is a log."""

KEYS, ANSWER = 40, 60
"""Keys that are typed, and looks at the screen between two of them, about."""

SECONDS = 10
"""Seconds over which CPU is measured."""


def plant(root: Path, runs: int) -> list[Path]:
    """Make a sweep and return the logs of its runs."""
    logs = []
    for number in range(runs):
        directory = root / f"sweep{number % 10}" / f"run{number}"
        directory.mkdir(parents=True)
        for other in range(FILES - 1):
            (directory / f"part{other}.safetensors").write_bytes(b"")
        logs.append(directory / "trainer_log.jsonl")
        # Two thirds are over, a third was cut short.
        write_log(logs[-1], STEPS, total=STEPS if number % 3 else 2 * STEPS)
    return logs


def is_listed(display: Sequence[str]) -> bool:
    """Whether rows of runs are on the screen."""
    return sum("sweep" in line or "run" in line for line in display) > 5


PATIENCE = 120.0
"""Seconds after which loading counts as failed."""


def load(root: Path, runs: int) -> Cost:
    """Wait until every run is read and judged."""

    def whole(display: Sequence[str]) -> bool:
        return has_text(f"{runs} ")(display) and not has_text("reading")(display)

    return run(lossmon(root), shows=whole, settle=PATIENCE, environment=COMPILED)


def keys(root: Path, runs: int) -> list[float]:
    """Seconds until the order is turned round, while the runs are read and judged."""
    count = iter(range(KEYS * ANSWER))
    probe = Probe("S", "verdict↓", has_text(f"{runs} "))
    cost = run(
        lossmon(root),
        shows=lambda display: next(count, None) is None,
        probe=probe,
        environment=COMPILED,
    )
    return sorted(cost.answers)


def live(
    root: Path, logs: Sequence[Path], shows: Callable[[Sequence[str]], bool], settle: float
) -> Cost:
    """Watch while some of the runs grow by two steps a second."""
    with ExitStack() as stack:
        for log in logs:
            stack.enter_context(growing(log, STEPS, 2))
        return run(
            lossmon(root),
            shows=shows,
            settle=settle,
            seconds=SECONDS,
            environment=COMPILED,
        )


def measure(runs: int, alive: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as kept:
        single, root = Path(kept) / "single", Path(kept) / "sweep"
        lone, logs = plant(single, 1), plant(root, runs)
        first = in_turns(lambda: shown(run(lossmon(root), shows=is_listed)), bare)
        row(f"first frame of {runs:,} runs", f"{first.ours:.2f} s", f"{first} bare", "1 s")
        cost = in_turns(lambda: check(root), lambda: check(single), 2)
        row("lossmon check", f"{cost.ours:.1f} CPU s", f"{cost} one run", "12 CPU s")
        whole = shown(load(root, runs))
        answers = keys(root, runs) or [math.nan]
        row("all read and judged", f"{whole:.1f} s", f"{whole / runs * 1e3:.1f} ms per run", "10 s")
        told = f"{statistics.median(answers) * 1e3:.0f} ms, slowest {answers[-1] * 1e3:.0f} ms"
        row(f"a key meanwhile ({len(answers)} typed)", told, "", "100 ms")
        alone = live(single, lone, has_curve, 6)
        many = live(root, logs[:alive], is_listed, 1.5 * whole + 5)
        told = f"{many.cpu * 100:.1f} % of a core, {many.bytes_per_second:.0f} bytes/s"
        row(f"{alive} of them grow", told, f"one alone: {alone.cpu * 100:.1f} %")
        told = f"{many.memory / 1e6:.0f} MB"
        share = (many.memory - alone.memory) / runs / 1e3
        row("resident", told, f"{share:.0f} kB a run")


def check(path: Path) -> float:
    """CPU seconds of `lossmon check`."""
    return cost_of([sys.executable, "-m", "lossmon", "check", str(path)]).cpu


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--live", type=int, default=5)
    options = parser.parse_args()
    measure(options.runs, options.live)


if __name__ == "__main__":
    main()
