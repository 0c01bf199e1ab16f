"""Time to find 1,000 runs among 10,000 files, and to scan again.

python -m benchmarks.discovery [--runs N] [--files N]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from lossmon.readers.discovery.discovery import Discovery

LOG = b'{"current_steps": 20, "total_steps": 200, "loss": 2.8, "lr": 0.005, "epoch": 1.7}\n'
CSV = b"step,loss\n1,2.0\n"


def plant(root: Path, runs: int, files: int) -> None:
    """Make a tree of runs, each with two logs, two checkpoints and what else lies about."""
    for number in range(runs):
        run = root / f"sweep{number % 10}" / f"run{number}"
        for step in (100, 200):
            (run / f"checkpoint-{step}").mkdir(parents=True)
        (run / "trainer_log.jsonl").write_bytes(LOG)
        (run / "metrics.csv").write_bytes(CSV)
        for other in range(files // runs - 2):
            place = run / f"checkpoint-{(100, 200)[other % 2]}"
            (place / f"part{other}.safetensors").write_bytes(b"")


def measure(runs: int, files: int) -> dict[str, float]:
    """Seconds for the first look, for one where nothing changed and for one with a new file."""
    with tempfile.TemporaryDirectory() as kept:
        root = Path(kept)
        plant(root, runs, files)
        discovery = Discovery([root])
        figures = {"first look": _timed(discovery)}
        assert len(discovery.scan().runs) == runs
        figures["nothing new"] = statistics.median(_timed(discovery) for _ in range(5))
        (root / "sweep3" / "run3" / "train.log").write_bytes(b"step 1: loss 2.0\n")
        figures["one new file"] = _timed(discovery)
    return figures


def _timed(discovery: Discovery) -> float:
    begin = time.perf_counter()
    discovery.scan()
    return time.perf_counter() - begin


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    print(f"{options.runs:,} runs, {options.files:,} files")
    for name, seconds in measure(options.runs, options.files).items():
        print(f"  {name:<14} {seconds * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
