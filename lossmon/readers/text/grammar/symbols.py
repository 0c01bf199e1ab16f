"""Signs beyond ASCII that people print between their metrics, as the ASCII they stand for."""

from __future__ import annotations

_SAME = str.maketrans("：，；＝≈（）【】％", ":,;==()[]%")
_KEPT = "•"
"""Bullets part the columns of Lightning's bar, by which it is known."""


class Symbols(dict[int, str | int]):
    """A table for `str.translate`: rules, dashes, arrows and pictures become `|`.

    Letters of every script stay, and each sign becomes exactly one, so that places do not move.
    """

    def __init__(self) -> None:
        super().__init__(_SAME)
        self[ord(_KEPT)] = _KEPT

    def __missing__(self, code: int) -> str | int:
        letter = chr(code)
        if code < 128 or letter.isalnum():
            self[code] = code
        elif letter.isspace() or not letter.isprintable() or code in range(0xFE00, 0xFE10):
            self[code] = " "
        else:
            self[code] = "|"
        return self[code]
