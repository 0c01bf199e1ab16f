"""Programs in emulated terminals, with waits that fit the machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from benchmarks.terminal import Emulated, started

USUAL = 0.5
"""Seconds in which a quiet machine imports Textual in a new process."""


@cache
def slowness() -> float:
    """How many times slower this machine is now than a quiet one, at least 1."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app, lossmon.monitor"], check=True)
    return max(1.0, (time.perf_counter() - begin) / USUAL)


def patience() -> float:
    """Seconds to wait for what must come."""
    return 30.0 * slowness()


def quiet() -> float:
    """Seconds without a byte after which a screen is whole."""
    return 0.05 * slowness()


Shows = Callable[[Sequence[str]], bool]
"""Whether the rows of a screen show something."""


def wait(terminal: Emulated, *conditions: Shows) -> list[str]:
    """Wait until the screen meets all conditions at once, and return it.

    Raises:
        AssertionError: It does not, however long one waits; says what is on the screen.
    """
    end = time.monotonic() + patience()
    while not all(shows(rows := terminal.rows()) for shows in conditions):
        assert time.monotonic() < end and terminal.pump(0.05), "\n".join(rows)
    return rows


@contextmanager
def lossmon(
    *arguments: str, size: tuple[int, int] = (80, 24), python: tuple[str, ...] = (), **env: str
) -> Iterator[Emulated]:
    """The screen in a terminal of its own, without hardware.

    Args:
        arguments: Arguments of the command line.
        size: Columns and rows.
        python: Options of the interpreter.
        env: Environment variables.
    """
    command = [sys.executable, *python, "-m", "lossmon", "--no-hardware", *arguments]
    with tempfile.TemporaryDirectory() as state:
        terminal = started(command, size, {"LC_ALL": "C.UTF-8", "XDG_STATE_HOME": state, **env})
        try:
            yield terminal
        finally:
            terminal.end()
