"""`make fuzz`: run cases until a fault is found or the time is over.

A case is its seed: `python -m tests.fuzz --seed N --cases 1` runs it again. With `--series` the
cases are runs of made-up series that go to the diagnosis alone, judged on all cores:
`make fuzz ARGS="--series --cases 100000"`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz import case, series

BLOCK = 250
"""Cases that a process takes at once."""


def main() -> int:
    """Run cases; the exit status is 1 if one of them found a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of the first case")
    parser.add_argument("--cases", type=int, default=0, help="cases to run; 0 has no limit")
    parser.add_argument("--seconds", type=float, default=3600.0, help="time to run")
    parser.add_argument("--faults", type=int, default=20, help="faults after which to stop")
    parser.add_argument("--only", default="", help="damage only files whose path contains this")
    parser.add_argument("--series", action="store_true", help="judge series instead of files")
    options = parser.parse_args()
    case.limit_memory()
    end = time.monotonic() + options.seconds
    done = found = 0
    for faults in _series(options) if options.series else _files(options):
        done += faults.count(None)
        for report in filter(None, faults):
            done, found = done + 1, found + 1
            print(report, flush=True)
        if time.monotonic() > end or found >= options.faults:
            break
    print(f"{done} cases, {found} faults")
    return 1 if found else 0


Reports = list[str | None]
"""One report per case: None where it found no fault."""


def _files(options: argparse.Namespace) -> Iterator[Reports]:
    """Damage files, one after the other."""
    files = [path for path in case.seeds() if options.only in str(path)]

    def one(seed: int) -> None:
        with tempfile.TemporaryDirectory() as place:
            case.run(seed, Path(place), files)

    for seed in _seeds(options, 1):
        yield [case.tried(one, seed[0])]


def _series(options: argparse.Namespace) -> Iterator[Reports]:
    """Judge series, in all processors at once."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(series.run_all, _seeds(options, BLOCK))


def _seeds(options: argparse.Namespace, size: int) -> Iterator[range]:
    """The seeds of all cases, in ranges of a size."""
    first, last = options.seed, options.seed + (options.cases or 1_000_000)
    return (range(start, min(start + size, last)) for start in range(first, last, size))


if __name__ == "__main__":
    sys.exit(main())
