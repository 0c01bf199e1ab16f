"""Channel that notifies the desktop of this machine."""

from __future__ import annotations

from html import escape

from lossmon.alerts.alert import Message
from lossmon.alerts.channels.program import run_program
from lossmon.types import Severity

LIMIT = 10.0
"""Seconds that notify-send may take; without a desktop it waits for one."""


class DesktopNotification:
    """Calls notify-send, which comes with every Linux desktop (package libnotify)."""

    def send(self, message: Message) -> None:
        urgency = "critical" if message.severity >= Severity.CRITICAL else "normal"
        # Many desktops read the text as markup; the title is never one.
        text = [message.title, escape(message.body, quote=False)]
        command = ["notify-send", "--app-name=lossmon", f"--urgency={urgency}", "--", *text]
        run_program(command, "", LIMIT)
