"""Standard input as a log: what is piped into a command named with `-`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lossmon.commands.arguments.locations import Location
from lossmon.ending import held_signals
from lossmon.errors import ConfigError

STANDARD_INPUT = Path("-")
"""How the user names it."""

COPY = "stdin.log"
"""Name of the file that it is copied into."""

CHUNK = 1 << 16
"""Bytes that are copied at a time."""


@contextmanager
def copied_input(
    locations: Sequence[Location], *, follow: bool = False
) -> Iterator[Sequence[Location]]:
    """The locations, with a copy of the standard input in place of each `-`.

    Args:
        locations: What the user named.
        follow: The copy grows meanwhile, and keys are read from the terminal; else all of the
            input is there from the start.

    Raises:
        ConfigError: Nothing is piped in, or there is no terminal for keys.
    """
    if STANDARD_INPUT not in locations:
        yield locations
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("-: nothing is piped into standard input; a file is written ./-")
    from tempfile import TemporaryDirectory

    with held_signals():
        kept = TemporaryDirectory(prefix="lossmon-")
    with kept as directory:
        copy = Path(directory, COPY)
        ends = os.dup(sys.stdin.fileno()), os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        if follow:
            _read_keys_from_terminal()
            threading.Thread(target=_copy, args=ends, name="stdin", daemon=True).start()
        else:
            _copy(*ends)
        yield [copy if one == STANDARD_INPUT else one for one in locations]


def _read_keys_from_terminal() -> None:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise ConfigError(f"-: no terminal to read keys from: {error.strerror}") from error
    os.dup2(terminal, sys.stdin.fileno())
    os.close(terminal)


def _copy(source: int, copy: int) -> None:
    """Copy until the end; the copy may be deleted meanwhile."""
    with (
        os.fdopen(source, "rb", buffering=0) as piped,
        os.fdopen(copy, "wb", buffering=0) as out,
    ):
        while chunk := piped.read(CHUNK):
            out.write(chunk)
