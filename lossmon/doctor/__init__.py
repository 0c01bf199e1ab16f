"""`lossmon doctor`: can lossmon work here, how well, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from lossmon.fast_dataclass import dataclass
from lossmon.locale import ENGLISH, message, phrase

SENTENCES = ("fault", "limit")
"""Placeholders that stand for a finished sentence of another part of the program."""


class Level(StrEnum):
    """How much a result matters."""

    GOOD = "good"
    NOTE = "note"
    """Something works less well than it could, or is not there."""
    BAD = "bad"
    """lossmon cannot work like this."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the doctor.

    Attributes:
        level: How much it matters.
        subject: What was looked at, in a word or two.
        finding: What was found, with placeholders.
        action: What to do, with placeholders; empty where nothing is to be done.
        values: Values of the placeholders.
    """

    level: Level
    subject: str
    finding: str
    action: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was found, in English."""
        return self.say(self.finding, ENGLISH)

    @property
    def remedy(self) -> str:
        """What to do, in English."""
        return self.say(self.action, ENGLISH)

    def say(self, text: str, language: str) -> str:
        """A text of this result in a language, which includes the sentences among its values."""
        values = {
            name: message(value, language) if name in SENTENCES else value
            for name, value in self.values.items()
        }
        return phrase(text, language, **values)


def good(subject: str, finding: str, **values: str) -> CheckResult:
    """All is well; nothing is to be done."""
    return CheckResult(Level.GOOD, subject, finding, values=values)


def note(subject: str, finding: str, action: str, **values: str) -> CheckResult:
    """It works less well than it could."""
    return CheckResult(Level.NOTE, subject, finding, action, values)


def bad(subject: str, finding: str, action: str, **values: str) -> CheckResult:
    """It does not work."""
    return CheckResult(Level.BAD, subject, finding, action, values)
