"""Start and stop of a demo training in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lossmon.demo.directory import LOG, prepare

PATIENCE = 2.0
"""Seconds for a training to stop; it checks ten times per second."""


def start(case: str, out: Path, seed: int = 0, speed: float = 1.0) -> subprocess.Popen[bytes]:
    """Start a training that writes to a directory.

    It ends with this process. Its output and errors go to `train.log`.

    Args:
        case: A name in `lossmon.demo.cases.CASES`.
        out: Directory of the run, absent or empty.
        seed: Of the data and of the first weights.
        speed: 1 is ten steps a second, 0 as fast as possible.

    Raises:
        ConfigError: `out` cannot be written to or is not empty.
    """
    prepare(out)
    command = [sys.executable, "-m", "lossmon.demo", "--case", case, "--out", str(out)]
    command += ["--seed", str(seed), "--speed", str(speed), "--parent", str(os.getpid()), "--quiet"]
    with (out / LOG).open("ab") as output:
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
