"""The key and value pairs of W&B's records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from lossmon.readers.files.protobuf import BYTES, fields
from lossmon.sanitize import one_line

_LONGEST_KEY = 512
"""Bytes of the longest key that is taken for one."""

_NO_NUMBER = b'"[{tfn'
"""First letters of JSON values that are not numbers: texts, lists, objects, true, false, null."""

_SHORT_ITEM = re.compile(
    rb"\n[\x00-\x7f]([\n\x12][\x00-\x7f][^\x82]*?)\x82\x01[\x00-\x7f]([^\n\x12]*)", re.DOTALL
)
"""An item: its key, as it is encoded, and its value."""

_STEP_KEY = 2 << 3 | BYTES
"""First byte of the step behind the items of a history record."""

_VALUE = b"\x82\x01"
"""What stands before the value in an item: field 16, as bytes."""


TABLE = "_table/"
"""What the path of a table's file is called, before the table's own name."""


class Told(NamedTuple):
    """A text in the history, or the path of a table's file.

    Attributes:
        key: Its name, after `TABLE` where it is a path.
        step: Where in the run.
        text: JSON.
    """

    key: str
    step: int
    text: bytes


def number(value: bytes) -> float | None:
    """A JSON number, with NaN and Infinity; None for every other value."""
    if not value or value[0] in _NO_NUMBER or len(value) > 64:
        return None
    try:
        return float(value)
    except ValueError:
        return None


def items(
    data: bytes, start: int, stop: int, number_of_items: int = 1
) -> Iterator[tuple[bytes, bytes]]:
    """Give the key, as it is encoded, and the JSON value of each item in a record.

    Raises:
        MalformedError: The bytes are no such record.
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
        for field in fields(data, at, stop):
            if field.number == number_of_items and field.wire == BYTES:
                yield _slowly(data, field.start, field.stop)
            at = field.stop
            break


def _slowly(data: bytes, start: int, stop: int) -> tuple[bytes, bytes]:
    key_stop, value = start, b""
    for field in fields(data, start, stop):
        if field.number in (1, 2):
            key_stop = field.stop
        elif field.number == 16 and field.wire == BYTES:
            value = data[field.start : field.stop]
    return data[start:key_stop], value


def history_items(data: bytes, start: int, stop: int) -> list[tuple[bytes, bytes]]:
    """The same as `items` for a history record, in one sweep where lengths are below 128.

    JSON holds neither line feeds nor other control characters, so a value ends where the next
    field begins; that the lengths add up shows that nothing was passed over.

    Raises:
        MalformedError: The bytes are no such record.
    """
    pairs: list[tuple[bytes, bytes]] = _SHORT_ITEM.findall(data, start, stop)
    swept = start + sum([len(key) + len(value) + 5 for key, value in pairs])
    behind = stop - swept
    if not behind or (behind > 1 and data[swept] == _STEP_KEY and data[swept + 1] == behind - 2):
        return pairs
    return list(items(data, start, stop))


def key_text(encoded: bytes) -> str:
    """The key of an item: nested ones are joined with dots.

    Raises:
        MalformedError: The bytes are no key.
    """
    parts = [
        encoded[field.start : field.stop]
        for field in fields(encoded, 0, len(encoded))
        if field.wire == BYTES
    ]
    return one_line(b".".join(parts)[:_LONGEST_KEY].decode(errors="replace"))


def settings(pairs: Iterator[tuple[bytes, bytes]]) -> dict[str, object]:
    """Configuration items as a dictionary of what their JSON says."""
    found: dict[str, object] = {}
    for encoded, value in pairs:
        key = key_text(encoded)
        if key.startswith("_wandb") or not key:
            continue
        try:
            found[key] = json.loads(value)
        except (ValueError, RecursionError):
            continue
    return found
