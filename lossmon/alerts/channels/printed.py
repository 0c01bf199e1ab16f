"""Channel that prints alerts: the log of `lossmon watch`."""

from __future__ import annotations

import sys
import time

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError


class Printed:
    """Prints one line per message to standard output.

    Args:
        json: Print the JSON that the other channels send, else a line for people.
    """

    def __init__(self, json: bool = False) -> None:
        self._json = json

    def send(self, message: Message) -> None:
        try:
            print(message.json() if self._json else printed(message), flush=True)
        except (OSError, ValueError) as error:
            raise ChannelError(f"standard output: {error}") from error


def printed(message: Message) -> str:
    """A message on one line, with its time: `2026-11-21 17:39:02  warning  a: SPIKE  …`."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(message.alerts[-1].time))
    line = f"{stamp}  {message.severity.word:<8}  {message.title}  {'; '.join(message.lines)}"
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "replace").decode(encoding)
