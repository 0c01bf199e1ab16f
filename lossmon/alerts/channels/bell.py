"""Channel that rings the bell of the terminal."""

from __future__ import annotations

from lossmon.alerts.alert import Message
from lossmon.alerts.channels.terminal import TerminalChannel


class Bell(TerminalChannel):
    """Rings the bell once per message."""

    def send(self, message: Message) -> None:
        self.write("\a")
