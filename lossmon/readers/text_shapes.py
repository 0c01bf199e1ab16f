"""Lines of a shape that was seen before, read by a compiled pattern."""

from __future__ import annotations

import re
from collections.abc import Callable

from lossmon.readers.grammar import LONGEST, parse
from lossmon.readers.parsed import Parsed, Position, Scale, Span, Value
from lossmon.readers.text_words import GROUPED, NUMBER, TOKEN, WORTH

MOST_SHAPES = 4096
"""Shapes remembered at once. A log has tens; one that prints prose has no end of them."""

SAME_KEY = 4
"""Patterns tried for lines with the same key before the grammar is asked again."""

Match = Callable[[str], re.Match[str] | None]

PLACES = ("step", "total", "epoch", "epochs", "rank", "time")
"""Names of numbers that say where a line stands."""

DROPPED = str.maketrans("", "", "0123456789 \t+-.eE")
"""What numbers are made of, and the blanks that pad them: the rest of a line is its key."""

_GAP = r"[ \t]*+"
_BLANKS = re.compile(r"[ \t]+")
_DIGITS = re.compile(r"\d+")


class Template:
    """A pattern for all lines of one shape, and what its groups mean.

    Attributes:
        parsed: What the grammar said of the first such line; its spans are void for others.
        match: Gives the match of a line of this shape, or None.
        groups: How many groups there are.
        step, total, epoch, epochs, rank, time: Index into the groups, -1 where absent.
        commas: Some of its numbers have commas between their thousands.
        values: Tag, index into the groups and factor of each value.
    """

    __slots__ = (
        "commas",
        "epoch",
        "epochs",
        "groups",
        "match",
        "parsed",
        "rank",
        "step",
        "time",
        "total",
        "values",
    )

    def __init__(self, line: str, parsed: Parsed) -> None:
        place = parsed.position
        wanted = [
            place.step, place.total, place.epoch, place.epochs, parsed.rank, parsed.time,
            *(value.span for value in parsed.values),
        ]  # fmt: skip
        spans = sorted({span for span in wanted if span is not None})
        index = {span: number for number, span in enumerate(spans)}
        self.parsed = parsed
        self.groups = len(spans)
        self.match: Callable[[str], re.Match[str] | None] = _pattern(
            line, spans, frozenset(wanted[:2] + wanted[3:5])
        ).fullmatch
        self.step, self.total, self.epoch, self.epochs, self.rank, self.time = (
            -1 if span is None else index[span] for span in wanted[:6]
        )
        self.commas = any("," in line[slice(*span)] for span in spans if span != parsed.time)
        self.values = tuple((value.name, index[value.span], value.scale) for value in parsed.values)

    def numbers(self, found: re.Match[str]) -> tuple[str, ...]:
        """The groups of a match, without commas between thousands."""
        groups: tuple[str, ...] = found.groups()
        if not self.commas:
            return groups
        return tuple(
            text if index == self.time else text.replace(",", "")
            for index, text in enumerate(groups)
        )


def named_template(names: tuple[str, ...]) -> Template:
    """A template for rows that another reader has taken apart, one text for each name.

    Args:
        names: What each text is: one of `PLACES`, or the tag of a metric.
    """
    # As if they stood in a line, digit by digit.
    line = "".join(str(index % 10) + "|" for index in range(len(names)))
    spans: dict[str, Span] = {name: (2 * i, 2 * i + 1) for i, name in enumerate(names)}
    step, epoch = spans.get("step"), spans.get("epoch")
    scale = Scale.EITHER if step and epoch else Scale.STEP if step else Scale.NONE
    if epoch and not step:
        scale = Scale.EPOCH
    place = Position(scale, step, spans.get("total"), epoch, spans.get("epochs"))
    values = tuple(Value(name, span) for name, span in spans.items() if name not in PLACES)
    return Template(line, Parsed(values, place, spans.get("rank"), spans.get("time")))


class Shapes:
    """Remembers the shapes of lines, those without metrics too."""

    def __init__(self) -> None:
        self._known: dict[
            str, list[tuple[Callable[[str], re.Match[str] | None], Template | None]]
        ] = {}
        self._dull: set[str] = set()
        """Keys of lines without any word of ours."""
        self._left: set[str] = set()
        """Keys of lines that were left once: a pattern is only worth its price from the second
        on, and prose never comes to it."""

    def read(self, line: str) -> tuple[Template, tuple[str, ...]] | None:
        """Return how to read a line, and its numbers as text; None if it says nothing."""
        key = line.translate(DROPPED)
        if key in self._dull:
            return None
        known = self._known.get(key)
        if known is not None:
            for match, template in known:
                if found := match(line):
                    return None if template is None else (template, template.numbers(found))
        return self._learn(key, line)

    def _learn(self, key: str, line: str) -> tuple[Template, tuple[str, ...]] | None:
        if len(line) > LONGEST:
            return None
        if not WORTH.search(line.lower()):
            _remember(self._dull, key)
            return None
        parsed = parse(line)
        if len(self._known) >= MOST_SHAPES:
            self._known.clear()
        if parsed is None:
            self._leave(key, line)
            return None
        template = Template(line, parsed)
        found = template.match(line)
        if found is None:
            return None
        patterns = self._known.setdefault(key, [])
        if len(patterns) < SAME_KEY:
            patterns.append((template.match, template))
        return template, template.numbers(found)

    def _leave(self, key: str, line: str) -> None:
        if key not in self._left:
            _remember(self._left, key)
            return
        patterns = self._known.setdefault(key, [])
        if len(patterns) < SAME_KEY:
            patterns.append((_pattern(line, [], names=False).fullmatch, None))


def _remember(keys: set[str], key: str) -> None:
    if len(keys) >= MOST_SHAPES:
        keys.clear()
    keys.add(key)


def _pattern(
    line: str,
    spans: list[Span],
    counts: frozenset[Span | None] = frozenset(),
    *,
    names: bool = True,
) -> re.Pattern[str]:
    """A pattern that fits lines which differ from this one in numbers and padding alone.

    Args:
        line: The line.
        spans: What becomes a group.
        counts: Those of them that are whole numbers at every line.
        names: Digits inside words matter: `top1` is not `top5`.
    """
    parts: list[str] = []
    at = 0
    for left, right in [*spans, (len(line), len(line))]:
        parts.append(_plain(line, at, left, names))
        if left < right:
            parts.append(f"({_group(line[left:right], (left, right) in counts)})")
        at = right
    return re.compile("".join(parts) + _GAP)


def _group(text: str, count: bool) -> str:
    if count and _DIGITS.fullmatch(text):
        return r"\d{1,18}+"
    if "," in text and TOKEN.fullmatch(text):
        return GROUPED
    if TOKEN.fullmatch(text):
        return NUMBER if any(c.isdigit() for c in text) else re.escape(text)
    return "".join(
        r"\d++" if part.isdigit() else re.escape(part) for part in re.split(r"(\d+)", text)
    )


def _plain(line: str, at: int, end: int, names: bool) -> str:
    parts: list[str] = []
    while at < end:
        if blanks := _BLANKS.match(line, at, end):
            parts.append(r"[ \t]++")
            at = blanks.end()
            continue
        number = TOKEN.match(line, at, end)
        if number and number[0][-1] in "0123456789.":
            parts += [_padding(line, at), GROUPED if "," in number[0] else NUMBER]
            at = number.end()
            continue
        digits = _DIGITS.match(line, at, end)
        if digits and not (names and _in_word(line, at)):
            parts.append(r"\d++")
            at = digits.end()
            continue
        parts.append(re.escape(digits[0] if digits else line[at]))
        at = digits.end() if digits else at + 1
    parts.append(_padding(line, end) if end < len(line) else "")
    return "".join(parts)


def _padding(line: str, at: int) -> str:
    """Room for the blanks that pad a shorter number, unless blanks or a word stand there."""
    return "" if at == 0 or line[at - 1].isalnum() or line[at - 1] in " \t_@" else _GAP


def _in_word(line: str, at: int) -> bool:
    return at > 0 and (line[at - 1].isalpha() or line[at - 1] in "_@")
