"""Files that are hard to read: what each costs beside an easy one of the same size.

python -m benchmarks.extremes [--files 100000] [--megabytes 72]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.ingest_lines import read_with
from benchmarks.pairs import cost_of, cpu_of, in_turns, row
from benchmarks.screen import COMPILED, lossmon
from benchmarks.terminal import has_curve, run
from lossmon.readers.tables.frameworks import table

ROWS = 60_000
"""Rows of a table: about two megabytes."""


def many_files(root: Path, count: int) -> None:
    """A log among many texts of a data set, until its curve is shown."""
    alone, among = root / "alone", root / "among"
    for directory in (alone, among):
        directory.mkdir()
        lines = (f"step {step}: loss {2 / (step + 1):.4f}\n" for step in range(500))
        (directory / "train.log").write_text("".join(lines))
    for number in range(count):
        (among / f"part{number:06}.txt").write_bytes(b"a text like any other\n")

    def shown(directory: Path) -> float:
        cost = run(lossmon(directory), shows=has_curve, settle=40.0, environment=COMPILED)
        return float("nan") if cost.shown is None else cost.shown

    ratio = in_turns(partial(shown, among), partial(shown, alone))
    row(f"first curve, {count:,} files", f"{ratio.ours:.2f} s", f"{ratio} that log alone", "5 s")


def quotes(root: Path) -> None:
    """Tables in which each row begins a quote that never ends."""
    clean, unclosed = root / "clean.csv", root / "unclosed.csv"
    for path, quote in ((clean, ""), (unclosed, '"')):
        lines = (f"{step},{2 / (step + 1)},{quote}12\n" for step in range(ROWS))
        path.write_text("step,loss,note\n" + "".join(lines))

    def cpu(path: Path) -> float:
        return cpu_of(partial(read_with, table, path)) / (path.stat().st_size / 1e6)

    ratio = in_turns(partial(cpu, unclosed), partial(cpu, clean), 5)
    beside = f"{ratio} without the quotes"
    row("CSV with unclosed quotes", f"{ratio.ours:.3f} CPU s per MB", beside, "0.3 s per MB")


def large_document(root: Path, megabytes: float) -> None:
    """A long `trainer_state.json`: memory beside the size of the file."""
    path = root / "run" / "trainer_state.json"
    path.parent.mkdir()
    count = int(megabytes * 1e6 / 176)
    records = [
        {
            "epoch": step / count,
            "grad_norm": 1.2345678 + step / 1e6,
            "learning_rate": 1e-4 * (1 - step / count),
            "loss": 2 / (step + 1) ** 0.5,
            "step": step,
        }
        for step in range(1, count + 1)
    ]
    state = {"global_step": count, "max_steps": count, "log_history": records}
    path.write_text(json.dumps(state, indent=2))
    size = path.stat().st_size
    load = f"import json, sys; json.load(open({str(path)!r}))"
    check = [sys.executable, "-m", "lossmon", "check", str(path.parent)]
    ratio = in_turns(
        lambda: cost_of(check).memory, lambda: cost_of([sys.executable, "-c", load]).memory, 2
    )
    figure = f"{ratio.ours / 1e6:.0f} MB, {ratio.ours / size:.1f} x its size"
    row(f"trainer_state.json of {size / 1e6:.0f} MB", figure, f"{ratio} json.load", "3 x its size")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--megabytes", type=float, default=72.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        quotes(Path(kept))
        large_document(Path(kept), options.megabytes)
        many_files(Path(kept), options.files)


if __name__ == "__main__":
    main()
