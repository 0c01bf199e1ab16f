"""Channels that write to the terminal that lossmon was started in, or to standard output."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError
from lossmon.errors import ConfigError

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


class Bell(TerminalChannel):
    """Rings the bell once per message."""

    def send(self, message: Message) -> None:
        self.write("\a")


LONGEST = 250
"""Characters of a notification; terminals cut longer ones or ignore them."""

BY_777 = ("rxvt", "foot", "vte", "ghostty")
"""Parts of `TERM` and `TERM_PROGRAM` of terminals that know OSC 777 and not OSC 9, or both."""


class TerminalNotification(TerminalChannel):
    """Writes OSC 9 (iTerm2, WezTerm, kitty, Windows Terminal) or OSC 777 (urxvt, foot, VTE).

    Args:
        sequence: `9`, `777`, or `auto` for what the terminal understands by its name.
    """

    def __init__(self, sequence: str = "auto") -> None:
        if sequence not in ("auto", "9", "777"):
            raise ConfigError(f"sequence = {sequence!r}: use auto, 9 or 777")
        self._sequence = sequence

    def send(self, message: Message) -> None:
        self.write(sequence(message, self._sequence, os.environ))


def sequence(message: Message, which: str, environment: Mapping[str, str]) -> str:
    """The control sequence for a message.

    Args:
        message: Its texts hold no control characters.
        which: `9`, `777` or `auto`.
        environment: Variables that name the terminal.
    """
    title = message.title[:LONGEST]
    body = " ".join(message.lines)[:LONGEST]
    if which == "auto":
        which = "777" if _knows_777(environment) else "9"
    if which == "777":
        # A semicolon separates the title from the text.
        text = f"\x1b]777;notify;{title.replace(';', ',')};{body}\a"
    else:
        text = f"\x1b]9;{title}: {body}"[:LONGEST] + "\a"
    if environment.get("TMUX"):
        # tmux hands it on where `allow-passthrough` is on.
        return "\x1bPtmux;" + text.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return text


def _knows_777(environment: Mapping[str, str]) -> bool:
    names = f"{environment.get('TERM', '')} {environment.get('TERM_PROGRAM', '')}".lower()
    return "VTE_VERSION" in environment or any(name in names for name in BY_777)


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
