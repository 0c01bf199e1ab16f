"""Steady texts: measured numbers that change by no more than rounding stay as they are."""

from __future__ import annotations

import re

_MEASURED = re.compile(r"(\d+\.\d+|\d+(?=%| %))")
"""Numbers that noise moves. Steps and counts have neither decimals nor a percent sign."""


class SteadyText:
    """The text shown last; newer ones take its place when they say something else."""

    def __init__(self) -> None:
        self._shown = ""
        self._subject: object = None

    def hold(self, fresh: str, subject: object = None) -> str:
        """Return the text to show: the one before, while no number moved beyond rounding.

        Args:
            fresh: The newest text.
            subject: What it is about; the text on another subject is never held.
        """
        if subject != self._subject or not _is_near(self._shown, fresh):
            self._shown, self._subject = fresh, subject
        return self._shown


def _is_near(shown: str, fresh: str) -> bool:
    """Whether two texts differ at most by one in the last digits of measured numbers."""
    before, after = _MEASURED.split(shown), _MEASURED.split(fresh)
    if before[::2] != after[::2]:
        return False
    return all(map(_is_close, before[1::2], after[1::2]))


def _is_close(shown: str, fresh: str) -> bool:
    decimals = len(shown.partition(".")[2])
    unit = 10.0**-decimals
    return abs(float(shown) - float(fresh)) < 1.5 * unit
