"""The terminal that lossmon was started in, for channels that write to it."""

from __future__ import annotations

import os
from collections.abc import Callable

from lossmon.alerts.channels import ChannelError

TERMINAL = "/dev/tty"
"""The terminal of the process, wherever its output goes."""


def write_to_terminal(text: str, terminal: str = TERMINAL) -> None:
    """Write a control sequence in one piece.

    Raises:
        ChannelError: There is no terminal, or it is gone.
    """
    try:
        handle = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)
    except OSError as error:
        raise ChannelError(f"no terminal to write to: {error.strerror}") from error


class TerminalChannel:
    """A channel that writes control sequences to the terminal.

    Attributes:
        write: Writes a sequence in one piece. The screen puts its own in place, so that nothing
            is written into the middle of a picture.
    """

    write: Callable[[str], None] = staticmethod(write_to_terminal)
