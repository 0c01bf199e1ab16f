"""Starts a demo training in a process of its own, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lossmon.demo.directory import LOG, prepare

PATIENCE = 2.0
"""Seconds in which a training stops when asked; it looks ten times a second."""


def start(case: str, out: Path, seed: int = 0, speed: float = 1.0) -> subprocess.Popen[bytes]:
    """Start a training that writes to a directory.

    It ends by itself when this process does. What it prints, an error too, goes to `train.log`.

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
        # A session of its own: Ctrl+C in the terminal is for the screen, not for the training.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def stop(training: subprocess.Popen[bytes]) -> None:
    """End a training: ask, wait a little, then insist. Does nothing if it ended already."""
    training.terminate()
    try:
        training.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        training.kill()
        training.wait()
