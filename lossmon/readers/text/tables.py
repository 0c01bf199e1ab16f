"""Tables in a text log: rows below a header, and Stable-Baselines3's blocks of name and value."""

from __future__ import annotations

import re

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.prefix import prefix
from lossmon.readers.text.grammar.table_heads import (
    BLOCKS,
    CLASSES,
    COUNTERS,
    FIRST,
    METRICS,
    cells,
    columns,
    unlabelled,
)
from lossmon.readers.text.grammar.words import SAYS_SPLIT, is_known, is_metric
from lossmon.readers.text.templates import Groups, Template, named_template

LAST = 40
"""Lines without a row after which a table is over; bars and notes may separate its rows."""

_NUMBER = lazy_pattern(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)%?", re.IGNORECASE)
_LIST = lazy_pattern(rf"\[(?P<numbers>{_NUMBER.pattern}(?:, *{_NUMBER.pattern}){{0,15}})\]", re.I)
"""Several losses of one row, as DeepXDE prints them: `[1.2e-01, 3.4e-02]`."""

_CELL = lazy_pattern(r"\S+")
_PLACE = lazy_pattern(r"(\d{1,18})(?:/(\d{1,18}))?")
_ENTRY = lazy_pattern(r"\|\s+(?P<name>[\w./-]{1,80})\s+\|\s+(?P<value>\S{0,40})\s*\|\s*")
_METRIC = lazy_pattern(
    r"[\s│|]*(?P<name>[A-Za-z][\w./-]{0,80})[\s│|]{2,}(?P<value>[-+]?\d[\d.eE+-]{0,30}|nan|inf)"
    r"(?:[\s│|]+\S{1,30})*[\s│|]*"
)
_EDGE = lazy_pattern(r"[└┴┘╰╯─-]{10,}\s*")
_RULE = lazy_pattern(r"-{10,}\s*")
_STEPS = ("time/total_timesteps", "total_timesteps", "misc/total_timesteps", "TotalEnvInteracts")
"""What Stable-Baselines3, Baselines and Spinning Up call the steps of a block."""


TableRow = tuple[Template, Groups]


class PrintedTable:
    """Reads the lines below the head of a table.

    Attributes:
        names: Its columns.
        over: The last row is so long ago that the table must be over.
    """

    def __init__(self, names: tuple[str, ...], head: str = "") -> None:
        """Start below a head.

        Args:
            names: Its columns.
            head: The line with the names, which shows where each column begins.
        """
        self.names = names
        self._logged = bool(head) and not columns(head)
        """A logger prints it, a prefix before each row."""
        head = self._message(head)
        self._columns = {word.start(): i for i, word in enumerate(_CELL.finditer(head))}
        self._is_head = True
        """No row has been read yet."""
        self._blocks = names == BLOCKS
        self._block: dict[str, str] = {}
        self._section = ""
        self._misses = 0
        self._templates: dict[tuple[str, ...], Template] = {}
        self._zero: bool | None = None
        """Its epochs begin at 0."""

    @property
    def over(self) -> bool:
        return self._misses > LAST

    def row(self, line: str) -> TableRow | None:
        """Return the metrics of the row that a line completes, None if it does not complete one."""
        line = self._message(line)
        read = self._metric if self.names[0] == METRICS else self._cells
        found = self._entry(line) if self._blocks else read(line)
        self._misses = 0 if found is not None else self._misses + 1
        return found

    def _message(self, line: str) -> str:
        return unlabelled(line, prefix(line).end) if self._logged else line

    def _metric(self, line: str) -> TableRow | None:
        """The row of a metric, at the position that was printed last."""
        found = _METRIC.fullmatch(line)
        if found is None:
            if self._section and _EDGE.fullmatch(line):
                self._misses = LAST
            return None
        self._section = name = found["name"]
        if not is_metric(name):
            return None
        tag = name if SAYS_SPLIT.search(name) else f"{self.names[1]}/{name}"
        return self._found({tag: found["value"]}, 0)

    def _all_classes(self, line: str) -> TableRow | None:
        """The row about all classes, at the position that was printed last."""
        word, *texts = line.split() or [""]
        counted = len(texts) - len(self.names) + 1
        measured = texts[max(0, counted) :]
        # Images and instances stand before what was measured, if anything does.
        if word != "all" or counted not in (0, 2):
            return None
        if not all(_NUMBER.fullmatch(text) for text in texts):
            return None
        return self._found(dict(zip(self.names[1:], measured, strict=True)), 0)

    def _cells(self, line: str) -> TableRow | None:
        if self.names[0] == CLASSES:
            return self._all_classes(line)
        texts = cells(line)
        if len(texts) < len(self.names):
            texts = line.split()
        if len(texts) < len(self.names):
            texts = self._aligned(line)
        if not texts:
            return None
        place = _PLACE.fullmatch(texts[0])
        if place is None:
            self._widen(texts)
            return None
        self._is_head = False
        first = FIRST[self.names[0].lower()]
        numbers = {first: place[1]}
        if place[2] and self._zero is None:
            self._zero = place[1] == "0"
        if place[2]:
            numbers["epochs" if first == "epoch" else "total"] = place[2]
        for name, text in zip(self.names[1:], texts[1:], strict=False):
            if name.lower() in COUNTERS and text.isdecimal():
                numbers["step"] = text
            elif _NUMBER.fullmatch(text) and is_metric(name):
                numbers[name] = text
            elif (listed := _LIST.fullmatch(text)) and is_metric(name):
                parts = listed["numbers"].split(",")
                numbers |= {
                    f"{name}_{i}" if len(parts) > 1 else name: part.strip()
                    for i, part in enumerate(parts)
                }
        return self._found(numbers, len(texts) - len(self.names))

    def _widen(self, texts: list[str]) -> None:
        """Add the second line of a head to the names: MATLAB's `Mini-batch` goes on with `Loss`."""
        second = len(texts) == len(self.names) and not texts[0]
        if self._is_head and second and not any(map(_NUMBER.fullmatch, texts)):
            self.names = tuple(map(" ".join, zip(self.names, texts, strict=True)))
            self.names = tuple(map(str.strip, self.names))

    def _aligned(self, line: str) -> list[str]:
        """The cells of a row that leaves some empty; none unless each begins below its name."""
        found = {self._columns.get(word.start(), -1): word[0] for word in _CELL.finditer(line)}
        if len(self._columns) != len(self.names) or not found or -1 in found:
            return []
        return [found.get(i, "") for i in range(len(self.names))]

    def _found(self, numbers: dict[str, str], surplus: int) -> TableRow | None:
        known = [name for name in numbers if is_known(name)]
        if not self._blocks and (not known or (surplus and len(known) < 2)):
            return None
        names = tuple(numbers)
        template = self._templates.get(names)
        if template is None:
            template = self._templates[names] = named_template(names, self._zero)
        return template, tuple(text.rstrip("%") for text in numbers.values())

    def _entry(self, line: str) -> TableRow | None:
        """Add a line of a block; the rule below the block completes it."""
        entry = _ENTRY.fullmatch(line)
        if entry is not None:
            self._misses = 0
            name, value = entry["name"], entry["value"]
            if name.endswith("/") and not value:
                self._section = name
            elif _NUMBER.fullmatch(value):
                self._block[self._section + name] = value
            return None
        steps = next((name for name in _STEPS if name in self._block), "")
        if not _RULE.fullmatch(line) or not steps:
            return None
        block, self._block, self._section = self._block, {}, ""
        step = block.pop(steps)
        if not step.isdecimal():
            return None
        numbers = {"step": step}
        numbers |= {name: text for name, text in block.items() if not name.startswith("time/")}
        if "time/fps" in block:
            numbers["time/fps"] = block["time/fps"]
        return self._found(numbers, 0)
