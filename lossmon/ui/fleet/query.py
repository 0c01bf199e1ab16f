"""Filter language: `state:running loss<0.5 -name:debug sft` chooses the runs to show."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import takewhile

from lossmon.fast_dataclass import dataclass
from lossmon.types import RunSnapshot
from lossmon.ui.fleet.fields import (
    Field,
    Reading,
    Sort,
    fields,
    folded,
    number,
    own,
    seconds,
    spellings,
)
from lossmon.ui.metrics.ranking import NOT

Test = Callable[[RunSnapshot, float], bool]
"""Whether a run, at a time (seconds since the Unix epoch), fits one term."""

GROUP = "group"
"""What is typed before the name of the setting that runs are grouped by."""

NOTHING = ("none", "-")
"""What is typed for a value that a run has not."""

CLOSE = 1e-9
"""Two numbers this near, as a share, are the same one written differently."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs to show: those that fit every term.

    Attributes:
        text: As it was typed.
        tests: One a term.
        group: By what the runs are grouped (`group:lr`); empty leaves them in one list.
    """

    text: str = ""
    tests: tuple[Test, ...] = ()
    group: str = ""

    def fits(self, run: RunSnapshot, now: float) -> bool:
        """Whether a run is shown."""
        return all(test(run, now) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Fault:
    """A term that means nothing, and what would.

    Attributes:
        says: A sentence of the screen with places in braces.
        parts: What stands there; text that was typed, or names that may be typed.
    """

    says: str
    parts: tuple[str, ...] = ()

    def message(self, say: Callable[[str], str]) -> str:
        """The sentence in the user's language."""
        return say(self.says).format(*self.parts)


class _Wrong(Exception):
    """A term that means nothing; never leaves this module."""

    def __init__(self, says: str, *parts: str) -> None:
        super().__init__(says)
        self.fault = Fault(says, parts)


def parse(text: str, names: Callable[[], Collection[str]] = tuple) -> Filter | Fault:
    """Read a filter; the first term without a meaning is reported.

    Args:
        names: Hyperparameters and series that some run has, as short as they may be typed;
            asked for only where a name is none of ours.
    """
    try:
        typed = list(words(text))
        tests = tuple(_test(word, names) for word in typed if not _is_group(word))
        groups = [_group(word, names) for word in typed if _is_group(word)]
        return Filter(text, tests, groups[-1] if groups else "")
    except _Wrong as wrong:
        return wrong.fault


def _is_group(word: Word) -> bool:
    return word.key == GROUP and word.operator in (":", "=") and not word.negated


def _group(word: Word, names: Callable[[], Collection[str]]) -> str:
    """By what a word groups; nothing while it is still typed."""
    name = word.values[-1].casefold() if word.values else ""
    if name and name not in fields():
        _own_field(name, names)
    return name


def _test(word: Word, names: Callable[[], Collection[str]]) -> Test:
    test = _told(word, names)
    if word.negated != (word.operator == "!="):
        return lambda run, now: not test(run, now)
    return test


def _told(word: Word, names: Callable[[], Collection[str]]) -> Test:
    if not word.operator:
        return _contains(fields()["name"], word.values)
    if not word.key:
        raise _Wrong(
            "what is {} compared with? for example: step{}100", word.operator, word.operator
        )
    field = fields().get(word.key) or _own_field(word.key, names)
    if not word.values:
        raise _Wrong("{}{} needs {}", word.key, word.operator, _wanted(field))
    if field.sort is Sort.CHOICE:
        return _choice(word, field)
    if word.operator in ("<", "<=", ">", ">="):
        return _compared(word, field)
    if field.sort is Sort.TEXT:
        return _contains(field, word.values)
    return _any(field, tuple(_equal(value, word, field) for value in word.values))


def _own_field(key: str, names: Callable[[], Collection[str]]) -> Field:
    known = names()
    if any(name in known for name in spellings(key)):
        return Field(Sort.NUMBER, lambda run, now: own(run, key), {})
    near = get_close_matches(key, [*fields(), *known], 3, 0.6) or list(fields())
    raise _Wrong("no run has {}; available: {}", key, ", ".join(near))


def _wanted(field: Field) -> str:
    """What a field may be compared with, in a few words that are typed as they stand."""
    if field.sort is Sort.CHOICE:
        return ", ".join(dict.fromkeys((field.choices or {}).values()))
    if field.sort is Sort.TIME:
        return "30s, 10m, 2h, 1d"
    return "debug" if field.sort is Sort.TEXT else "1e-3, 20k, 10%"


# ------------------------------------------------------------------------- kinds of terms


def _contains(field: Field, values: tuple[str, ...]) -> Test:
    parts = tuple(value.casefold() for value in values)

    def test(run: RunSnapshot, now: float) -> bool:
        text = str(field.read(run, now) or "").casefold()
        return any(part in text for part in parts)

    return test


def _choice(word: Word, field: Field) -> Test:
    allowed: set[Reading] = set()
    for value in word.values:
        found = _chosen(value, field)
        if not found:
            raise _Wrong("{} cannot be {}; it is {}", word.key, value, _wanted(field))
        if word.operator in ("<", "<=", ">", ">="):
            if not field.ordered:
                raise _Wrong("{} has no order; use {}:{}", word.key, word.key, found[0])
            found = _ordered(field.ordered, word.operator, found[0])
        allowed.update(found)
    return lambda run, now: field.read(run, now) in allowed


def _chosen(value: str, field: Field) -> list[str]:
    """The values that a word stands for: its own, else all those that it begins, or is in."""
    choices, wanted = field.choices or {}, folded(value)
    if wanted in choices:
        return [choices[wanted]]
    begun = [code for name, code in choices.items() if wanted and name.startswith(wanted)]
    return begun or [code for name, code in choices.items() if wanted and wanted in name]


def _ordered(values: tuple[str, ...], operator: str, value: str) -> list[str]:
    at = values.index(value)
    return [one for place, one in enumerate(values) if _holds(operator, place, at)]


def _compared(word: Word, field: Field) -> Test:
    if field.sort is Sort.TEXT:
        raise _Wrong("{} has no order; use {}:{}", word.key, word.key, word.values[0])
    limits = [_amount(value, word, field) for value in word.values]

    def test(run: RunSnapshot, now: float) -> bool:
        value = field.read(run, now)
        if not isinstance(value, int | float):
            return False
        return any(_holds(word.operator, value, limit) for limit in limits)

    return test


def _any(field: Field, tests: tuple[Callable[[Reading], bool], ...]) -> Test:
    def test(run: RunSnapshot, now: float) -> bool:
        value = field.read(run, now)
        return any(one(value) for one in tests)

    return test


def _equal(value: str, word: Word, field: Field) -> Callable[[Reading], bool]:
    if value.casefold() in NOTHING:
        return lambda reading: reading is None
    # A hyperparameter may be a word: only of our own fields it is known that they are numbers.
    text = value.casefold()
    is_own = field.choices is not None
    wanted = number(value) if is_own else _amount(value, word, field)

    def test(reading: Reading) -> bool:
        if isinstance(reading, str):
            return text in reading.casefold()
        if reading is None or wanted is None:
            return False
        both_nan = math.isnan(wanted) and math.isnan(reading)
        return both_nan or math.isclose(reading, wanted, rel_tol=CLOSE)

    return test


def _amount(value: str, word: Word, field: Field) -> float:
    amount = seconds(value) if field.sort is Sort.TIME else number(value)
    if amount is None:
        raise _Wrong("{} needs {}, not {}", word.key, _wanted(field), value)
    return amount


def _holds(operator: str, value: float, limit: float) -> bool:
    match operator:
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case ">":
            return value > limit
        case _:
            return value >= limit


def shared(words: Sequence[str]) -> str:
    """The beginning that words have in common."""
    first, last = min(words), max(words)
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(char for char, _ in pairs)


def completed(text: str, names: Callable[[], Collection[str]] = tuple) -> str:
    """Return the text with its last word as long as it is clear what is meant.

    Args:
        text: A filter; its last word is the one being typed.
        names: Hyperparameters and series that some run has.
    """
    head, blank, word = text.rpartition(" ")
    sign = word[:1] if word.startswith(NOT) else ""
    word = word[len(sign) :]
    key, colon, value = word.partition(":")
    if colon:
        field = fields().get(key.casefold())
        first, comma, last = value.rpartition(",")
        codes = dict.fromkeys((field.choices or {}).values()) if field else ()
        if key.casefold() == GROUP:
            codes = dict.fromkeys(sorted({*fields(), *names()}))
        begun = [code for code in codes if last and folded(code).startswith(folded(last))]
        end = shared(begun) if begun else last
        word = f"{key}:{first}{comma}{max(end, last, key=len)}"
    elif word:
        keys = sorted({*fields(), *names(), GROUP})
        begun = [one for one in keys if one.startswith(word.casefold())]
        end = shared(begun) if begun else word
        ours = len(begun) == 1 and (begun[0] == GROUP or _has_choices(begun[0]))
        word = end + (":" if ours else "")
    return f"{head}{blank}{sign}{word}"


def _has_choices(name: str) -> bool:
    return name in fields() and bool(fields()[name].choices)


QUOTES = "\"'"
OPERATORS = ("<=", ">=", "!=", "<", ">", ":", "=")
"""Longest first."""


@dataclass(frozen=True, slots=True)
class Word:
    """One term as it is typed.

    Attributes:
        negated: One of `NOT` stands before it.
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

_NOT: tuple[Char, ...] = tuple((sign, False) for sign in NOT)


def words(text: str) -> Iterator[Word]:
    """Yield the words of a line, left to right.

    A quote that is not closed ends with the line: it is still being typed.
    """
    for piece in _pieces(text):
        negated = bool(piece) and piece[0] in _NOT and ("=", False) not in piece[1:2]
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
