"""Result of one check."""

from __future__ import annotations

from enum import StrEnum

from lossmon.fast_dataclass import dataclass


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
        text: What was found.
        remedy: What to do, empty where nothing is to be done.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""


def good(subject: str, text: str) -> CheckResult:
    """All is well; nothing is to be done."""
    return CheckResult(Level.GOOD, subject, text)


def note(subject: str, text: str, remedy: str) -> CheckResult:
    """It works less well than it could."""
    return CheckResult(Level.NOTE, subject, text, remedy)


def bad(subject: str, text: str, remedy: str) -> CheckResult:
    """It does not work."""
    return CheckResult(Level.BAD, subject, text, remedy)
