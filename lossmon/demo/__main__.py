"""`python -m lossmon.demo --case overfit --out DIR`: demo trainings without a screen."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType


def main(arguments: list[str] | None = None) -> int:
    """Run the training of the command line.

    Returns:
        Exit status: 0 trained to the end, 1 stopped, 2 wrong argument.
    """
    _be_small()
    from lossmon.demo.cases import CASES
    from lossmon.demo.launch import directories
    from lossmon.demo.train import train
    from lossmon.errors import ConfigError

    parser = argparse.ArgumentParser(
        prog="python -m lossmon.demo",
        description="Train a small model, healthy or faulty on purpose.",
    )
    parser.add_argument(
        "--case", choices=CASES, action="append", help="condition to show; may be repeated"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="directory of the run, or of all runs"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of data and weights")
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="1: twenty steps per second; 0: as fast as possible",
    )
    parser.add_argument("--parent", type=int, help="stop when this process is gone")
    parser.add_argument("--quiet", action="store_true", help="print nothing; train.log has it all")
    chosen = parser.parse_args(arguments)
    if chosen.speed < 0 or chosen.seed < 0:
        parser.error("--speed and --seed cannot be negative")
    try:
        cases = chosen.case or ["healthy"]
        runs = zip((CASES[name] for name in cases), directories(cases, chosen.out), strict=True)
        finished = train(
            list(runs),
            seed=chosen.seed,
            speed=chosen.speed,
            stop=_stop_condition(chosen.parent),
            echo=None if chosen.quiet else sys.stdout,
        )
    except ConfigError as error:
        print(f"lossmon demo: {error}", file=sys.stderr)
        return 2
    return 0 if finished else 1


def _be_small() -> None:
    """Limit numpy to one core and TensorBoard to its own file access, before their import.

    Such small matrices are slower on several cores, and TensorFlow, if installed, would delay the
    first step by seconds.
    """
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))


def _stop_condition(parent: int | None) -> Callable[[], bool]:
    """Return a function that is True after SIGTERM, SIGINT, or the end of the parent process."""
    asked = False

    def ask(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return lambda: asked or (parent is not None and os.getppid() != parent)


if __name__ == "__main__":
    sys.exit(main())
