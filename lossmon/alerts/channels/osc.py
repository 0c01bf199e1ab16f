"""Channel that lets the terminal show a notification of the desktop, over SSH as well."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lossmon.alerts.alert import Message
from lossmon.alerts.channels.terminal import TerminalChannel
from lossmon.errors import ConfigError

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
