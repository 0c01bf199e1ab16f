"""Channel that runs a command of the user."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lossmon.alerts.alert import Message
from lossmon.alerts.channels.program import run_program
from lossmon.errors import ConfigError


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
