"""Start and stop of a demo training in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lossmon.errors import ConfigError

PATIENCE = 2.0
"""Seconds for a training to stop; it checks ten times per second."""


def start(
    cases: Sequence[str], out: Path, seed: int = 0, speed: float = 1.0
) -> subprocess.Popen[bytes]:
    """Start a process that trains and writes to a directory.

    It ends with this process. Its output and errors go to the `train.log` of the first run.

    Args:
        cases: Names in `lossmon.demo.cases.CASES`, which are trained side by side.
        out: Directory of the run; several have one each below it. Absent or empty.
        seed: Of the data and of the first weights.
        speed: 1 is twenty steps per second, 0 as fast as possible.

    Raises:
        ConfigError: `out` cannot be written to or is not empty.
    """
    first = directories(cases, out)[0]
    prepare(first)
    command = [sys.executable, "-m", "lossmon.demo", "--out", str(out)]
    command += [argument for case in cases for argument in ("--case", case)]
    command += ["--seed", str(seed), "--speed", str(speed), "--parent", str(os.getpid()), "--quiet"]
    with (first / LOG).open("ab") as output:
        # A session of its own, because Ctrl+C in the terminal must not stop the training.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def stop(training: subprocess.Popen[bytes]) -> None:
    """Stop a training, and kill it if it does not stop. Does nothing if it has ended."""
    training.terminate()
    try:
        training.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        training.kill()
        training.wait()


LOG = "train.log"
"""Text log, the only file that may exist before the training starts, for its errors."""


def directories(cases: Sequence[str], out: Path) -> list[Path]:
    """The directory of each run: `out` itself, or one below it per case."""
    return [out / case for case in cases] if len(cases) > 1 else [out]


def prepare(out: Path) -> None:
    """Create the directory of a run.

    Raises:
        ConfigError: It cannot be created, or is not empty: a run is never overwritten.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        occupied = any(path.name != LOG for path in out.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot write a demo run to {out}: {error.strerror}") from error
    if occupied:
        raise ConfigError(f"{out} is not empty: choose a new directory for the demo run")
