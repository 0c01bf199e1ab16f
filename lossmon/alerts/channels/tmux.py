"""Channel that shows a message in every client of tmux."""

from __future__ import annotations

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError
from lossmon.alerts.channels.program import run_program

LIMIT = 5.0
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
        listed = run_program([*self._tmux, "list-clients", "-F", "#{client_name}"], "", LIMIT)
        clients = listed.split()
        if not clients:
            raise ChannelError("no client is attached to tmux")
        text = literal(f"lossmon: {message.title}")
        for client in clients:
            command = ["display-message", "-c", client, "-d", self._milliseconds, text]
            run_program([*self._tmux, *command], "", LIMIT)


def literal(text: str) -> str:
    """Text that tmux shows as it is: neither a format nor a time is expanded."""
    return text.replace("#", "##").replace("%", "%%")
