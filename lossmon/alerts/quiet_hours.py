"""Quiet hours: a time of day at which only what is critical is sent."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from lossmon.errors import ConfigError

_SPELLED = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


class QuietHours(NamedTuple):
    """A span of the day in local time; it may go over midnight.

    Attributes:
        begin: Minutes since midnight.
        end: Minutes since midnight.
    """

    begin: int
    end: int

    def contains(self, now: float) -> bool:
        """Whether a moment, in seconds since the Unix epoch, lies in it."""
        local = time.localtime(now)
        minute = local.tm_hour * 60 + local.tm_min
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def parse(text: str, where: str) -> QuietHours | None:
    """Read `22:00-07:00`; an empty text means none.

    Raises:
        ConfigError: It is something else.
    """
    if not text:
        return None
    match = _SPELLED.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"{where}: {text!r} is not a span such as 22:00-07:00")
    hours = [int(part) for part in match.groups()]
    return QuietHours(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
