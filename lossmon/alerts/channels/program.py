"""A program that a channel runs: no shell, a time limit, and no process left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO

from lossmon.alerts.channels import ChannelError
from lossmon.sanitize import one_line

OUTPUT = 4096
"""Bytes kept of the end of what a program prints."""

ERROR_TEXT = 200
"""Characters of what a program that failed said last."""


def run_program(command: Sequence[str], text: str, timeout: float) -> str:
    """Run a program with a text as its standard input and return the end of its output.

    Args:
        command: Program and arguments, as they are: no shell reads them.
        text: Standard input. It is a file, so a program that does not read it holds up nothing.
        timeout: Seconds after which the program and all that it started are killed.

    Raises:
        ChannelError: It cannot be run, did not end in time, or ended with another status than 0.
    """
    try:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
            given.write(text.encode())
            given.seek(0)
            status = _run(command, given, printed, timeout)
            output = _end_of(printed)
    except OSError as error:
        raise ChannelError(f"{command[0]} cannot be run: {error.strerror}") from error
    if status is None:
        raise ChannelError(f"{command[0]} did not end within {timeout:g} s")
    if status:
        ending = one_line(" ".join(output.split())[-ERROR_TEXT:])
        raise ChannelError(
            f"{command[0]} ended with status {status}{': ' if ending else ''}{ending}"
        )
    return output


def _run(
    command: Sequence[str], given: IO[bytes], printed: IO[bytes], timeout: float
) -> int | None:
    """The exit status, None where the time was over.

    The end of the program is waited for, not that of its output: what it leaves in the
    background may hold that open.
    """
    process = subprocess.Popen(
        command,
        stdin=given,
        stdout=printed,
        stderr=subprocess.STDOUT,
        # A group of its own: an interrupt of the terminal is not meant for it, and what it
        # starts can be ended with it.
        start_new_session=True,
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - OUTPUT))
    return file.read(OUTPUT).decode("utf-8", "replace")
