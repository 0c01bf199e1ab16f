"""Messages for channels to send."""

from __future__ import annotations

from dataclasses import replace

from lossmon.alerts.alert import Message
from tests.alerts.test_journal import alert

ONE = Message((alert(name="a"),))

WORD = ONE.alerts[0].word
"""How the condition is called."""


def hostile(text: str) -> Message:
    """A message about a run whose name is hostile."""
    return Message((replace(alert(), run=text),))
