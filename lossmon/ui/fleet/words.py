"""A typed line as words: quotes keep blanks, and what is quoted is never an operator."""

from __future__ import annotations

from collections.abc import Iterator

from lossmon.fast_dataclass import dataclass

QUOTES = "\"'"
OPERATORS = ("<=", ">=", "!=", "<", ">", ":", "=")
"""Longest first."""


@dataclass(frozen=True, slots=True)
class Word:
    """One term as it is typed.

    Attributes:
        negated: A hyphen stands before it.
        key: What is asked of, in lower case; empty for a free word.
        operator: One of `OPERATORS`; empty for a free word.
        values: What it is compared with; any of them will do. Empty ones are left out.
    """

    negated: bool
    key: str
    operator: str
    values: tuple[str, ...]


Char = tuple[str, bool]
"""A character, and whether it is quoted."""


def words(text: str) -> Iterator[Word]:
    """Yield the words of a line, left to right.

    A quote that is not closed ends with the line: it is still being typed.
    """
    for piece in _pieces(text):
        negated = bool(piece) and piece[0] == ("-", False)
        word = _word(piece[negated:], negated)
        if word.key or word.operator or word.values:
            yield word


def _pieces(text: str) -> Iterator[list[Char]]:
    """Runs of characters between blanks that are not quoted."""
    piece: list[Char] = []
    quote = ""
    for char in text:
        if quote:
            if char == quote:
                quote = ""
            else:
                piece.append((char, True))
        elif char in QUOTES:
            quote = char
        elif char.isspace():
            yield piece
            piece = []
        else:
            piece.append((char, False))
    yield piece


def _word(piece: list[Char], negated: bool) -> Word:
    for at, (char, quoted) in enumerate(piece):
        if quoted or not any(one.startswith(char) for one in OPERATORS):
            continue
        rest = "".join(" " if hidden else one for one, hidden in piece[at : at + 2])
        operator = next((one for one in OPERATORS if rest.startswith(one)), "")
        if operator:
            key = "".join(one for one, _ in piece[:at]).casefold()
            return Word(negated, key, operator, _values(piece[at + len(operator) :]))
    return Word(negated, "", "", _values(piece))


def _values(piece: list[Char]) -> tuple[str, ...]:
    values = [""]
    for char, quoted in piece:
        if char == "," and not quoted:
            values.append("")
        else:
            values[-1] += char
    return tuple(value for value in values if value)
