"""`python -m benchmarks [--quick] [NAME...]`: every figure beside that of a peer or a lower bound.

`--quick` takes less than two minutes: smaller inputs, and nothing that needs a terminal.
"""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "ingest_events",
    "ingest_wandb",
    "ingest_lines",
    "ingest_text",
    "series",
    "discovery",
    "metadata",
    "draw",
    "headless",
    "screen",
    "fleet",
)
"""Modules with a `main` that prints a table, quickest first. `benchmarks.diagnosis` needs its data
named and is run by itself: `python -m benchmarks.diagnosis --corpus DIR --faults DIR`. So is
`benchmarks.soak`, which takes minutes by its nature."""

QUICK = {
    "ingest_events": ("100000",),
    "ingest_wandb": ("20000",),
    "ingest_lines": ("--lines", "40000"),
    "series": ("--names", "2000", "--runs", "40"),
    "discovery": (),
    "draw": (),
}
"""Arguments of the benchmarks that a quick run has."""


def main() -> None:
    """Run the benchmarks named, or all."""
    names = [name for name in sys.argv[1:] if name != "--quick"]
    quick = QUICK if "--quick" in sys.argv[1:] else {}
    for name in names or quick or NAMES:
        print(f"── {name} " + "─" * (76 - len(name)), flush=True)
        sys.argv[1:] = quick.get(name, ())
        importlib.import_module(f"benchmarks.{name}").main()
        print(flush=True)


if __name__ == "__main__":
    main()
