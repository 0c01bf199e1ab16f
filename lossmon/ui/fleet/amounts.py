"""Numbers and times as people type them: `1e-3`, `20k`, `10%`, `90s`, `1h30m`."""

from __future__ import annotations

import re

_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12, "%": 1e-2}
"""`m` is a million: a thousandth is typed as `1e-3`."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}

_NUMBER = re.compile(r"([+-]?(?:[0-9][0-9,_]*\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?)([kmgbt%]?)")
_PIECE = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([smhdw])")


def number(text: str) -> float | None:
    """Return the number that a text writes, None where it writes none.

    `k`, `M`, `G` (or `B`) and `T` multiply, `%` divides by a hundred; `nan` and `inf` are numbers.
    """
    text = text.strip().casefold()
    if text in ("nan", "inf", "-inf", "+inf"):
        return float(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return float(match[1].replace(",", "").replace("_", "")) * _SUFFIXES[match[2]]


def seconds(text: str) -> float | None:
    """Return the seconds that a text writes, bare numbers too; None where it writes none."""
    text = text.strip().casefold().replace(" ", "")
    pieces = _PIECE.findall(text)
    if pieces and "".join(size + unit for size, unit in pieces) == text:
        return sum(float(size) * _UNITS[unit] for size, unit in pieces)
    plain = number(text)
    return plain if plain is not None and plain >= 0 else None
