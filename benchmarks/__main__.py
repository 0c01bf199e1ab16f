"""`python -m benchmarks [NAME...]`: prints every figure next to that of a peer or a lower bound."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "ingest_events",
    "ingest_wandb",
    "ingest_lines",
    "ingest_text",
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


def main() -> None:
    """Run the benchmarks named, or all."""
    for name in sys.argv[1:] or NAMES:
        print(f"── {name} " + "─" * (76 - len(name)), flush=True)
        sys.argv[1:] = []
        importlib.import_module(f"benchmarks.{name}").main()
        print(flush=True)


if __name__ == "__main__":
    main()
