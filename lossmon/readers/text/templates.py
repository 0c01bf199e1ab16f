"""Templates: patterns that match lines of a shape seen before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import replace

from lossmon.readers.text.grammar.parse import LONGEST, parse
from lossmon.readers.text.grammar.parsed import LinePosition, LineValue, MetricLine, Scale, TextSpan
from lossmon.readers.text.grammar.words import GROUPED, NUMBER, TOKEN, WORTH

MOST_SHAPES = 4096
"""Shapes remembered at once. A log has tens; one that prints prose has any number."""

SAME_KEY = 4
"""Patterns tried for lines with the same key before the grammar parses them again."""

Match = Callable[[str], re.Match[str] | None]

Groups = tuple[str, ...]
"""The numbers of a line as text, in the order of the groups of its template."""

PLACES = ("step", "total", "epoch", "epochs", "rank", "time")
"""Names of numbers that give the position of a line."""

COUNT = r"\d{1,18}+"
"""A step, a total or a rank that fits into 64 bits."""

EPOCH = r"\d{1,9}+(?:\.\d{1,20}+)?+(?:e-\d{1,3}+)?+"
"""An epoch, fractional for the HF Trainer."""

MOST_NUMBERS = 1000
"""Numbers of the longest line for which a pattern is compiled: half a second once."""

DROPPED = str.maketrans("", "", "0123456789 \t+-.eE")
"""Characters of numbers, and blanks that pad them: the other characters of a line are its key."""

_GAP = r"[ \t]*+"
_BLANKS = re.compile(r"[ \t]+")
_DIGITS = re.compile(r"\d+")


class Template:
    """A pattern for all lines of one shape, and the meaning of its groups.

    Attributes:
        parsed: The first such line as the grammar parsed it; its spans do not fit others.
        groups: Number of groups.
        step, total, epoch, epochs, rank, time, best: Index of the group, -1 if absent.
        commas: Some of its numbers have commas between their thousands.
        values: Tag, index of the group and factor of each value.
    """

    __slots__ = (
        "_line",
        "_match",
        "_spans",
        "best",
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

    def __init__(self, line: str, parsed: MetricLine) -> None:
        place = parsed.position
        wanted = [
            place.step, place.total, place.epoch, place.epochs,
            parsed.rank, parsed.time, parsed.best,
            *(value.span for value in parsed.values),
        ]  # fmt: skip
        spans = sorted({span for span in wanted if span is not None})
        index = {span: number for number, span in enumerate(spans)}
        self._line, self._spans = line, spans
        self._match: Match | None = None
        self.parsed = parsed
        self.groups = len(spans)
        self.step, self.total, self.epoch, self.epochs, self.rank, self.time, self.best = (
            -1 if span is None else index[span] for span in wanted[:7]
        )
        self.commas = any("," in line[slice(*span)] for span in spans if span != parsed.time)
        self.values = _distinct((v.name, index[v.span], v.scale) for v in parsed.values)

    @property
    def match(self) -> Match:
        """Function that matches a line of this shape; its pattern is compiled on first use."""
        if self._match is None:
            place, rank = self.parsed.position, self.parsed.rank
            kinds = dict.fromkeys((place.step, place.total, place.epochs, rank), COUNT)
            kinds[place.epoch] = EPOCH
            self._match = _pattern(self._line, self._spans, kinds).fullmatch
        return self._match

    def renamed(self, rename: Callable[[str], str], split: str) -> Template:
        """Return a template for such lines below a heading, where their values have other tags."""
        other = copy(self)
        other.parsed = replace(self.parsed, split=split)
        other.values = _distinct((rename(tag), index, scale) for tag, index, scale in self.values)
        return other

    def only(self, wanted: Callable[[str], bool]) -> Template | None:
        """Return a template that takes only the values with wanted tags; None if it has none."""
        other = copy(self)
        other.values = tuple(value for value in self.values if wanted(value[0]))
        return other if other.values else None

    def first(self) -> Groups | None:
        """Return the groups of the first line; None if a number is out of bounds."""
        texts = [self._line[slice(*span)] for span in self._spans]
        if self.commas:
            texts = [t if i == self.time else t.replace(",", "") for i, t in enumerate(texts)]
        counts = (self.step, self.total, self.epochs, self.rank)
        if not all(re.fullmatch(COUNT, texts[index]) for index in counts if index >= 0):
            return None
        if self.epoch >= 0 and not re.fullmatch(EPOCH, texts[self.epoch]):
            return None
        return tuple(texts)

    def numbers(self, found: re.Match[str]) -> Groups:
        """Return the groups of a match, without commas between thousands."""
        groups: Groups = found.groups()
        if not self.commas:
            return groups
        return tuple(
            text if index == self.time else text.replace(",", "")
            for index, text in enumerate(groups)
        )


def _distinct(values: Iterable[tuple[str, int, float]]) -> tuple[tuple[str, int, float], ...]:
    """The last value of each tag: a line may print a metric twice."""
    return tuple({value[0]: value for value in values}.values())


def named_template(names: tuple[str, ...], zero: bool | None = None) -> Template:
    """Return a template for rows that are split into texts already.

    Args:
        zero: Epochs are known to begin at 0 (False: at 1).
        names: Name of each text: one of `PLACES`, or the tag of a metric.
    """
    # As if they were a line, one digit each.
    line = "".join(str(index % 10) + "|" for index in range(len(names)))
    spans: dict[str, TextSpan] = {name: (2 * i, 2 * i + 1) for i, name in enumerate(names)}
    step, epoch = spans.get("step"), spans.get("epoch")
    scale = Scale.EITHER if step and epoch else Scale.STEP if step else Scale.NONE
    if epoch and not step:
        scale = Scale.EPOCH
    place = LinePosition(scale, step, spans.get("total"), epoch, spans.get("epochs"), zero=zero)
    values = tuple(LineValue(name, span) for name, span in spans.items() if name not in PLACES)
    return Template(line, MetricLine(values, place, spans.get("rank"), spans.get("time")))


class _Irrelevant:
    """The shape of lines that are not about the training."""

    __slots__ = ("match",)

    def __init__(self, line: str) -> None:
        self.match: Match = _pattern(line, [], {}, names=False).fullmatch


class TemplateCache:
    """Remembers the shapes of lines, also of those without metrics.

    Attributes:
        alarming: The newest line may hold one of the signs; of one shape, all lines do or none.
    """

    def __init__(self, signs: tuple[str, ...] = ()) -> None:
        """Start without any shape.

        Args:
            signs: Texts that a caller looks for in lines without a known shape.
        """
        self.alarming = False
        self._signs = tuple(sign.translate(DROPPED) for sign in signs)
        self._alarms: set[str] = set()
        """Keys of lines with a sign: none of them is irrelevant."""
        self._known: dict[str, list[Template | _Irrelevant]] = {}
        self._irrelevant: set[str] = set()
        """Keys of lines without any word of the grammar."""
        self._seen: set[str] = set()
        """Keys of lines that were irrelevant once: prose rarely repeats a key."""

    def read(self, line: str) -> tuple[Template, Groups] | None:
        """Return the template of a line and its numbers; None if it is irrelevant."""
        key = line.translate(DROPPED)
        if key in self._irrelevant:
            self.alarming = False
            return None
        known = self._known.get(key)
        self.alarming = key in self._alarms
        if known is not None:
            for shape in known:
                if found := shape.match(line):
                    if isinstance(shape, _Irrelevant):
                        return None
                    return shape, shape.numbers(found)
        return self._learn(key, line)

    def _learn(self, key: str, line: str) -> tuple[Template, Groups] | None:
        if not self.alarming and any(sign in key for sign in self._signs):
            self.alarming = True
            if len(self._alarms) >= MOST_SHAPES:
                # A shape must not outlive the knowledge of its signs.
                self._known.clear()
                self._alarms.clear()
            self._alarms.add(key)
        if len(line) > LONGEST:
            return None
        if not WORTH.search(line.lower()):
            if not self.alarming:
                _remember(self._irrelevant, key)
            return None
        parsed = parse(line)
        if parsed is None:
            if key in self._seen:
                self._keep(key, _Irrelevant(line), line)
            else:
                _remember(self._seen, key)
            return None
        template = Template(line, parsed)
        numbers = template.first()
        if numbers is None:
            return None
        self._keep(key, template, line)
        return template, numbers

    def _keep(self, key: str, shape: Template | _Irrelevant, line: str) -> None:
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
    spans: list[TextSpan],
    kinds: Mapping[TextSpan | None, str],
    *,
    names: bool = True,
) -> re.Pattern[str]:
    """Return a pattern that matches lines differing from this one in numbers and padding only.

    Args:
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
    """Room for the blanks that pad a shorter number, unless blanks or a word precede it."""
    return "" if at == 0 or line[at - 1].isalnum() or line[at - 1] in " \t_@" else _GAP


def _in_word(line: str, at: int) -> bool:
    return at > 0 and (line[at - 1].isalpha() or line[at - 1] in "_@")
