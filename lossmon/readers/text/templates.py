"""Lines of a shape that was seen before, read by a compiled pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace

from lossmon.readers.text.grammar.parse import LONGEST, parse
from lossmon.readers.text.grammar.parsed import Parsed, Position, Scale, Span, Value
from lossmon.readers.text.grammar.words import GROUPED, NUMBER, TOKEN, WORTH

MOST_SHAPES = 4096
"""Shapes remembered at once. A log has tens; one that prints prose has no end of them."""

SAME_KEY = 4
"""Patterns tried for lines with the same key before the grammar is asked again."""

Match = Callable[[str], re.Match[str] | None]

PLACES = ("step", "total", "epoch", "epochs", "rank", "time")
"""Names of numbers that say where a line stands."""

COUNT = r"\d{1,18}+"
"""A step, a total or a rank: what 64 bits hold."""

EPOCH = r"\d{1,9}+(?:\.\d{1,20}+)?+(?:e-\d{1,3}+)?+"
"""An epoch, fractional for the HF Trainer."""

MOST_NUMBERS = 1000
"""Numbers of a line for which a pattern is compiled: half a second once."""

DROPPED = str.maketrans("", "", "0123456789 \t+-.eE")
"""What numbers are made of, and the blanks that pad them: the rest of a line is its key."""

_GAP = r"[ \t]*+"
_BLANKS = re.compile(r"[ \t]+")
_DIGITS = re.compile(r"\d+")


class Template:
    """A pattern for all lines of one shape, and what its groups mean.

    Attributes:
        parsed: What the grammar said of the first such line; its spans are void for others.
        groups: How many groups there are.
        step, total, epoch, epochs, rank, time: Index into the groups, -1 where absent.
        commas: Some of its numbers have commas between their thousands.
        values: Tag, index into the groups and factor of each value.
    """

    __slots__ = (
        "_line",
        "_match",
        "_spans",
        "commas",
        "epoch",
        "epochs",
        "groups",
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
        self._line, self._spans = line, spans
        self._match: Match | None = None
        self.parsed = parsed
        self.groups = len(spans)
        self.step, self.total, self.epoch, self.epochs, self.rank, self.time = (
            -1 if span is None else index[span] for span in wanted[:6]
        )
        self.commas = any("," in line[slice(*span)] for span in spans if span != parsed.time)
        self.values = tuple((value.name, index[value.span], value.scale) for value in parsed.values)

    @property
    def match(self) -> Match:
        """Gives the match of a line of this shape, or None; compiled when first asked for."""
        if self._match is None:
            place, rank = self.parsed.position, self.parsed.rank
            kinds = dict.fromkeys((place.step, place.total, place.epochs, rank), COUNT)
            kinds[place.epoch] = EPOCH
            self._match = _pattern(self._line, self._spans, kinds).fullmatch
        return self._match

    def renamed(self, rename: Callable[[str], str], split: str) -> Template:
        """The same for lines that stand below a heading: its values have other names."""
        other = copy(self)
        other.parsed = replace(self.parsed, split=split)
        other.values = tuple((rename(tag), index, scale) for tag, index, scale in self.values)
        return other

    def first(self) -> tuple[str, ...] | None:
        """The groups of the line it was learned from; None if a number is out of all bounds."""
        texts = [self._line[slice(*span)] for span in self._spans]
        if self.commas:
            texts = [t if i == self.time else t.replace(",", "") for i, t in enumerate(texts)]
        counts = (self.step, self.total, self.epochs, self.rank)
        if not all(re.fullmatch(COUNT, texts[index]) for index in counts if index >= 0):
            return None
        if self.epoch >= 0 and not re.fullmatch(EPOCH, texts[self.epoch]):
            return None
        return tuple(texts)

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


class _Left:
    """The shape of lines that say nothing of the training."""

    __slots__ = ("match",)

    def __init__(self, line: str) -> None:
        self.match: Match = _pattern(line, [], {}, names=False).fullmatch


class Shapes:
    """Remembers the shapes of lines, those without metrics too.

    Attributes:
        alarming: The newest line may hold one of the signs; lines of one shape all do or none.
    """

    def __init__(self, signs: tuple[str, ...] = ()) -> None:
        """Start without any shape.

        Args:
            signs: Texts that a caller looks for in whatever lines are not of a known shape.
        """
        self.alarming = False
        self._signs = tuple(sign.translate(DROPPED) for sign in signs)
        self._alarms: set[str] = set()
        """Keys of lines with a sign: none of them is dull."""
        self._known: dict[str, list[Template | _Left]] = {}
        self._dull: set[str] = set()
        """Keys of lines without any word of ours."""
        self._seen: set[str] = set()
        """Keys of lines that were left once: prose never comes to it a second time."""

    def read(self, line: str) -> tuple[Template, tuple[str, ...]] | None:
        """Return how to read a line, and its numbers as text; None if it says nothing."""
        key = line.translate(DROPPED)
        if key in self._dull:
            self.alarming = False
            return None
        known = self._known.get(key)
        self.alarming = key in self._alarms
        if known is not None:
            for shape in known:
                if found := shape.match(line):
                    if isinstance(shape, _Left):
                        return None
                    return shape, shape.numbers(found)
        return self._learn(key, line)

    def _learn(self, key: str, line: str) -> tuple[Template, tuple[str, ...]] | None:
        if not self.alarming and any(sign in key for sign in self._signs):
            self.alarming = True
            if len(self._alarms) >= MOST_SHAPES:
                # A shape must not outlive what is known of its signs.
                self._known.clear()
                self._alarms.clear()
            self._alarms.add(key)
        if len(line) > LONGEST:
            return None
        if not WORTH.search(line.lower()):
            if not self.alarming:
                _remember(self._dull, key)
            return None
        parsed = parse(line)
        if parsed is None:
            if key in self._seen:
                self._keep(key, _Left(line), line)
            else:
                _remember(self._seen, key)
            return None
        template = Template(line, parsed)
        numbers = template.first()
        if numbers is None:
            return None
        self._keep(key, template, line)
        return template, numbers

    def _keep(self, key: str, shape: Template | _Left, line: str) -> None:
        if len(self._known) >= MOST_SHAPES:
            self._known.clear()
        shapes = self._known.setdefault(key, [])
        if len(shapes) < SAME_KEY and len(_DIGITS.findall(line)) <= MOST_NUMBERS:
            shapes.append(shape)


def _remember(keys: set[str], key: str) -> None:
    if len(keys) >= MOST_SHAPES:
        keys.clear()
    keys.add(key)


def _pattern(
    line: str,
    spans: list[Span],
    kinds: Mapping[Span | None, str],
    *,
    names: bool = True,
) -> re.Pattern[str]:
    """A pattern that fits lines which differ from this one in numbers and padding alone.

    Args:
        line: The line.
        spans: What becomes a group.
        kinds: Patterns of those that are not just any number.
        names: Digits inside words matter: `top1` is not `top5`.
    """
    parts: list[str] = []
    at = 0
    for left, right in [*spans, (len(line), len(line))]:
        parts.append(_plain(line, at, left, names))
        if left < right:
            parts.append(f"({_group(line[left:right], kinds.get((left, right)))})")
        at = right
    return re.compile("".join(parts) + _GAP)


def _group(text: str, kind: str | None) -> str:
    if "," in text and TOKEN.fullmatch(text):
        return GROUPED
    if kind is not None:
        return kind
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
