"""Values of untrusted JSON."""

from __future__ import annotations

from lossmon.sanitize import one_line

LONGEST_NAME = 128
"""Characters of a name that are kept."""


def number(value: object) -> float | None:
    """A finite number that is not negative, as all that is measured here."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e300:
        return None
    return float(value)


def whole(value: object) -> int | None:
    """A whole number that is not negative and fits into 64 bits."""
    known = number(value)
    return int(known) if known is not None and known < 1 << 63 else None


def text(value: object) -> str:
    """The start of a text, on one line; empty for anything else."""
    return one_line(value, LONGEST_NAME) if isinstance(value, str) else ""
