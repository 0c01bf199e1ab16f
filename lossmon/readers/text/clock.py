"""Wall times that loggers print at the beginning of a line."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from lossmon.lazy_pattern import lazy_pattern

MOST_MINUTES = 4096
"""Minutes remembered: converting one from local time takes as long as parsing three lines."""

_MINUTE = 16
"""Characters of `2026-11-21 00:50`."""
_ZONE = lazy_pattern(r"(Z|UTC|[+-]\d{2}:?\d{2})$")


class Clock:
    """Converts printed local times to seconds since the Unix epoch."""

    def __init__(self) -> None:
        self._minutes: dict[str, float] = {}

    def seconds(self, text: str) -> float:
        """Return the seconds since the Unix epoch, NaN if the text is not a date.

        A time without a zone is local time of this machine.
        """
        zone = None
        if text[-1] in "ZC" or text[-3] in ":+-" or text[-5] in "+-":
            zone = _ZONE.search(text, 19)
        try:
            if zone:
                return _zoned(text[: zone.start()].strip(), zone[1])
            return self._minute(text[:_MINUTE]) + float(text[17:].replace(",", "."))
        except (ValueError, OverflowError, OSError):
            return math.nan

    def _minute(self, text: str) -> float:
        known = self._minutes.get(text)
        if known is None:
            if len(self._minutes) >= MOST_MINUTES:
                self._minutes.clear()
            known = time.mktime(_parts(text).timetuple())
            self._minutes[text] = known
        return known


def _parts(text: str) -> datetime:
    return datetime(
        int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16])
    )


def _zoned(text: str, zone: str) -> float:
    offset = 0
    if zone[0] in "+-":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        offset = (hours * 60 + minutes) * (-60 if zone[0] == "-" else 60)
    moment = _parts(text[:_MINUTE]).replace(tzinfo=UTC)
    return moment.timestamp() + float(text[17:].replace(",", ".")) - offset
