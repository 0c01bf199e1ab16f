"""Decoder for the keys and values in W&B's records, and rows of its history as columns."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lossmon.readers.files.lines import displayed, resolved
from lossmon.readers.files.protobuf import BYTES, VARINT, decode_fields
from lossmon.readers.points_builder import PointsBuilder
from lossmon.sanitize import one_line
from lossmon.types import Axis

_NUMBER_KEY = 1 << 3 | VARINT
"""First byte of a record's own number."""

_LONGEST_KEY = 512
"""Bytes kept of a key."""

LONGEST_NUMBER = 64
"""Bytes of the longest number."""

_NO_NUMBER = b'"[{tfn'
"""First letters of JSON values that are not numbers: texts, lists, objects, true, false, null."""

_SHORT_ITEM = re.compile(
    rb"\n[\x00-\x7f]([\n\x12][\x00-\x7f][^\x82]*?)\x82\x01[\x00-\x7f]([^\n\x12]*)", re.DOTALL
)
"""An item: its key, as it is encoded, and its value."""

_HISTORY = rb"\x08[\x80-\xff]{0,9}[\x00-\x7f]\x12[\x80-\xff]?[\x00-\x7f]"
"""A record's own number, and the key and the length of its history."""

_SHORT_NUMBER = rb"\x82\x01[\x00-\x7f]([-+.0-9eE]{1,64})"
"""The value of an item that is a finite number."""

_STEP_KEY = 2 << 3 | BYTES
"""First byte of the step after the items of a history record."""

_VALUE = b"\x82\x01"
"""Prefix of the value in an item: field 16, as bytes."""


TABLE = "_table/"
"""Prefix of the name of a table, whose text is the path of its file."""


MEDIA = "_media/"
"""Prefix of the name of a histogram or an image, whose text is its type."""


class LoggedText(NamedTuple):
    """A text in the history, or the path of a table's file.

    Attributes:
        key: Its name, with the prefix `TABLE` if it is a path.
        step: Where in the run it was logged.
        text: JSON.
    """

    key: str
    step: int
    text: bytes


def decode_number(value: bytes) -> float | None:
    """Decode a JSON number, NaN and Infinity included; None for every other value."""
    if not value or value[0] in _NO_NUMBER or len(value) > LONGEST_NUMBER:
        return None
    try:
        return float(value)
    except ValueError:
        return None


def decode_items(
    data: bytes, start: int, stop: int, number_of_items: int = 1
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the encoded key and the JSON value of each item in a record.

    Raises:
        MalformedError: The bytes are not such a record.
    """
    first = number_of_items << 3 | BYTES
    at = start
    while at < stop:
        # Keys and values of fewer than 128 bytes have lengths of one byte: nearly all.
        if at + 2 < stop and data[at] == first and data[at + 1] < 128:
            end = at + 2 + data[at + 1]
            mark = data.find(_VALUE, at + 2, end)
            if 0 < mark < end - 2 and mark + 3 + data[mark + 2] == end <= stop:
                yield data[at + 2 : mark], data[mark + 3 : end]
                at = end
                continue
        for field in decode_fields(data, at, stop):
            if field.number == number_of_items and field.wire == BYTES:
                yield _slowly(data, field.start, field.stop)
            at = field.stop
            break


def _slowly(data: bytes, start: int, stop: int) -> tuple[bytes, bytes]:
    key_stop, value = start, b""
    for field in decode_fields(data, start, stop):
        if field.number in (1, 2):
            key_stop = field.stop
        elif field.number == 16 and field.wire == BYTES:
            value = data[field.start : field.stop]
    return data[start:key_stop], value


def decode_history(data: bytes, start: int, stop: int) -> list[tuple[bytes, bytes]]:
    """Decode a history record as `decode_items` does, by one pattern if lengths are below 128.

    JSON holds neither line feeds nor other control characters, so a value ends where the next
    field begins; if the lengths add up, nothing was skipped.

    Raises:
        MalformedError: The bytes are not such a record.
    """
    pairs: list[tuple[bytes, bytes]] = _SHORT_ITEM.findall(data, start, stop)
    swept = start + sum([len(key) + len(value) + 5 for key, value in pairs])
    left = stop - swept
    if not left or (left > 1 and data[swept] == _STEP_KEY and data[swept + 1] == left - 2):
        return pairs
    return list(decode_items(data, start, stop))


def number_pattern(keys: Sequence[bytes]) -> re.Pattern[bytes]:
    """Return the pattern of a record of a history with these keys in turn and nothing but numbers.

    Its groups are the numbers. A record that it does not match whole may be one all the same.
    """
    items = (rb"\n[\x00-\x7f]" + re.escape(key) + _SHORT_NUMBER for key in keys)
    return re.compile(_HISTORY + b"".join(items) + rb"(?:\x12[\x00-\x7f].{0,12})?", re.DOTALL)


def decode_key(encoded: bytes) -> str:
    """Decode the key of an item; the parts of a nested key are joined by dots.

    Raises:
        MalformedError: The bytes are not a key.
    """
    parts = [
        encoded[field.start : field.stop]
        for field in decode_fields(encoded, 0, len(encoded))
        if field.wire == BYTES
    ]
    return one_line(b".".join(parts)[:_LONGEST_KEY].decode(errors="replace"))


def decode_settings(pairs: Iterator[tuple[bytes, bytes]]) -> dict[str, object]:
    """Decode configuration items, those with valid JSON."""
    found: dict[str, object] = {}
    for encoded, value in pairs:
        key = decode_key(encoded)
        if key.startswith("_wandb") or not key:
            continue
        try:
            found[key] = json.loads(value)
        except (ValueError, RecursionError):
            continue
    return found


_LONGEST = 1 << 16
"""Characters kept of an unfinished line."""


class Console:
    """Joins what a program wrote to its streams into lines for the log pane."""

    def __init__(self) -> None:
        self._unfinished: dict[int, str] = {}

    def write(self, stream: int, piece: str) -> list[str]:
        """Add a piece; return the lines that it completes.

        Only the last state of a line that carriage returns overwrote is returned.
        """
        text = self._unfinished.get(stream, "") + piece
        *lines, rest = text.split("\n")
        self._unfinished[stream] = rest[-_LONGEST:]
        return [displayed(_newest(resolved(line))) for line in lines]


def _newest(line: str) -> str:
    states = [state for state in line.split("\r") if state.strip()]
    return states[-1] if states else ""


IGNORED, STEP, TIME, LOGGED, DEFINED = "", "_step", "_timestamp", "_logged", "_defined"
"""What a key may be other than a tag. No tag begins with an underscore."""

_ABSENT = -1


class HistoryPlan(NamedTuple):
    """What the values of records with certain keys are, by their positions.

    Attributes:
        step: Of W&B's own step, -1 where absent.
        time: Of the time.
        logged: Of the optimizer step.
        tags: Of the metrics.
        places: Positions of the metrics.
        width: Number of values.
    """

    step: int
    time: int
    logged: int
    tags: tuple[str, ...]
    places: tuple[int, ...]
    width: int

    def column(self, place: int, values: list[float]) -> list[float]:
        """The values at one position of each row, NaN where there is none.

        Args:
            place: The position, -1 for none.
            values: The values of all rows in turn.
        """
        if place < 0:
            return [math.nan] * (len(values) // self.width)
        return values[place :: self.width]


def plan_of(tags: Sequence[str]) -> HistoryPlan | None:
    """The plan of records with these tags; None where a key occurs twice or needs a look at all.

    Args:
        tags: Tag of each key in turn, or what else it is.
    """
    if DEFINED in tags or len(set(tags)) < len(tags) - tags.count(IGNORED) + (IGNORED in tags):
        return None
    known = (IGNORED, STEP, TIME, LOGGED)
    metrics = [(tag, at) for at, tag in enumerate(tags) if tag not in known]
    if len(metrics) < 2:
        return None
    step, time, logged = (tags.index(name) if name in tags else _ABSENT for name in known[1:])
    names, places = zip(*metrics, strict=True)
    return HistoryPlan(step, time, logged, names, places, len(tags))


class HistoryRows:
    """Consecutive rows of one plan that were not stored yet."""

    def __init__(self, points: PointsBuilder) -> None:
        self._points = points
        self._plan: HistoryPlan | None = None
        self._steps: list[int] = []
        self._values: list[float] = []

    def add(self, plan: HistoryPlan, steps: Sequence[int], values: list[float]) -> None:
        """Add rows, given their steps and the values of all their keys in turn."""
        if plan is not self._plan:
            self.flush()
            self._plan = plan
        self._steps += steps
        self._values += values

    def flush(self) -> None:
        """Store the rows."""
        steps, plan = self._steps, self._plan
        if not steps or plan is None:
            return
        width, times = len(plan.tags), plan.column(plan.time, self._values)
        orders = self._points.reserve(len(steps) * width)
        for at, (tag, place) in enumerate(zip(plan.tags, plan.places, strict=True)):
            values = plan.column(place, self._values)
            self._points.extend(tag, Axis.STEP, orders[at::width], steps, times, values)
        self._plan, self._steps, self._values = None, [], []


def short_head(record: bytes) -> tuple[int, int, int]:
    """Key of the first field after a record's own number, and where its content is.

    Most records are history, which is decoded without looking at each field. The key is 0 where
    there is no such number.
    """
    at, end = 1, len(record) - 4
    while at < end and record[at] > 0x7F:
        at += 1
    if at >= end or record[0] != _NUMBER_KEY:
        return 0, 0, 0
    length, start = record[at + 2], at + 3
    if length > 0x7F:
        if record[start] > 0x7F:
            return 0, 0, 0
        length, start = length & 0x7F | record[start] << 7, start + 1
    stop = start + length
    return (record[at + 1] if stop <= len(record) else 0), start, stop
