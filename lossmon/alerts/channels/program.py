"""Channels that run a program: no shell, a time limit, and no process left behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from html import escape
from typing import IO

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError
from lossmon.errors import ConfigError
from lossmon.sanitize import one_line
from lossmon.types import Severity

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


class ExecCommand:
    """Runs a command with one line of JSON as its standard input.

    One command runs at a time; a status other than 0 means that the alert was not taken, and it
    is sent again.

    Args:
        command: Program and arguments; a text is split as a shell would, but no shell runs it.
        timeout: Seconds after which it is killed.
    """

    def __init__(self, command: str | Sequence[str], timeout: float = 30.0) -> None:
        try:
            self._command = shlex.split(command) if isinstance(command, str) else [*command]
        except ValueError as error:
            raise ConfigError(f"command {command!r}: {error}") from error
        if not self._command:
            raise ConfigError("command is empty")
        self._timeout = timeout

    def send(self, message: Message) -> None:
        run_program(self._command, message.json() + "\n", self._timeout)


NOTIFY_LIMIT = 10.0
"""Seconds that notify-send may take; without a desktop it waits for one."""


class DesktopNotification:
    """Calls notify-send, which comes with every Linux desktop (package libnotify)."""

    def send(self, message: Message) -> None:
        urgency = "critical" if message.severity >= Severity.CRITICAL else "normal"
        # Many desktops read the text as markup; the title is never one.
        text = [message.title, escape(message.body, quote=False)]
        command = ["notify-send", "--app-name=lossmon", f"--urgency={urgency}", "--", *text]
        run_program(command, "", NOTIFY_LIMIT)


TMUX_LIMIT = 5.0
"""Seconds that tmux may take to answer."""


class TmuxMessage:
    """Shows the title in the status line of every client.

    Args:
        seconds: How long it stays; 0 until a key is pressed.
        socket: Name of the tmux server (`tmux -L`), empty for the one of the environment.
    """

    def __init__(self, seconds: float = 10.0, socket: str = "") -> None:
        self._milliseconds = str(round(seconds * 1000))
        self._tmux = ["tmux", *(["-L", socket] if socket else [])]

    def send(self, message: Message) -> None:
        listed = run_program([*self._tmux, "list-clients", "-F", "#{client_name}"], "", TMUX_LIMIT)
        clients = listed.split()
        if not clients:
            raise ChannelError("no client is attached to tmux")
        text = literal(f"lossmon: {message.title}")
        for client in clients:
            command = ["display-message", "-c", client, "-d", self._milliseconds, text]
            run_program([*self._tmux, *command], "", TMUX_LIMIT)


def literal(text: str) -> str:
    """Text that tmux shows as it is: neither a format nor a time is expanded."""
    return text.replace("#", "##").replace("%", "%%")
