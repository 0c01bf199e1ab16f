"""`make fuzz`: run cases until a fault is found or the time is over.

A case is its seed: `python -m tests.fuzz --seed N --cases 1` runs it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz import case


def main() -> int:
    """Run cases; the exit status is 1 if one of them found a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of the first case")
    parser.add_argument("--cases", type=int, default=0, help="cases to run; 0 has no limit")
    parser.add_argument("--seconds", type=float, default=3600.0, help="time to run")
    parser.add_argument("--faults", type=int, default=20, help="faults after which to stop")
    parser.add_argument("--only", default="", help="damage only files whose path contains this")
    options = parser.parse_args()
    case.limit_memory()
    files = [path for path in case.seeds() if options.only in str(path)]
    seed, faults, end = options.seed, 0, time.monotonic() + options.seconds
    while time.monotonic() < end and faults < options.faults:
        if options.cases and seed - options.seed >= options.cases:
            break
        with tempfile.TemporaryDirectory() as place:
            try:
                case.run(seed, Path(place), files)
            except Exception:
                faults += 1
                print(f"--- seed {seed}")
                traceback.print_exc(limit=-6, file=sys.stdout)
        seed += 1
    print(f"{seed - options.seed} cases, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
