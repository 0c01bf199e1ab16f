"""Channels that alerts are sent to: one class with one method and one row per channel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lossmon.errors import LossmonError

if TYPE_CHECKING:
    from lossmon.alerts.alert import Message


class ChannelError(LossmonError):
    """A message could not be sent; says why in one line.

    Attributes:
        wait: Seconds that the other side asks to wait before the next attempt, or None.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class AlertChannel(Protocol):
    """What sends messages somewhere."""

    def send(self, message: Message) -> None:
        """Send a message; returns once it has been taken, within a bounded time.

        Raises:
            ChannelError: It was not taken.
        """
        ...


class ChannelRow(NamedTuple):
    """A row of the channel table.

    The parameters of the class are the keys of its table in the settings, with their defaults.

    Attributes:
        name: Its table in the settings is `[alerts.NAME]`, its flag `--NAME`.
        key: Parameter that the value of the flag sets, empty where the flag has none.
        summary: One line for the help.
        place: Module and class.
        paced: It waits for alerts that belong together, and sends a limited number of messages.
    """

    name: str
    key: str
    summary: str
    place: str
    paced: bool = True

    def load(self) -> type[AlertChannel]:
        """Import the class."""
        module, _, name = self.place.partition(":")
        found: type[AlertChannel] = getattr(import_module(f"{__name__}.{module}"), name)
        return found


CHANNELS = (
    ChannelRow("bell", "", "ring the bell of the terminal", "terminal:Bell"),
    ChannelRow("osc", "", "notify by the terminal (OSC 9 or 777)", "terminal:TerminalNotification"),
    ChannelRow("tmux", "", "show a message in every client of tmux", "program:TmuxMessage"),
    ChannelRow("desktop", "", "notify the desktop (notify-send)", "program:DesktopNotification"),
    ChannelRow(
        "exec", "command", "run a command with one line of JSON as its input", "program:ExecCommand"
    ),
    ChannelRow("webhook", "url", "post signed JSON", "webhook:Webhook"),
    ChannelRow(
        "apprise",
        "url",
        "notify by Apprise: mail, Slack, Telegram, ntfy, … (lossmon[notify])",
        "apprise:AppriseService",
    ),
    ChannelRow("print", "", "print a line", "terminal:Printed", paced=False),
)
"""Every channel."""

ROWS = {row.name: row for row in CHANNELS}
"""Every channel, by name."""
