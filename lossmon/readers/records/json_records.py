"""The records of JSON lines, one line at a time: tolerant, for what the bulk parser leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.records.frame import JsonRecord
from lossmon.readers.records.names import EPOCH_NAMES, STEP_NAMES, plain

_TRIES = 32
"""Places in a torn line at which a whole record is looked for. A record has few nested ones, and
each try may read the line once more."""

_OPENING = lazy_pattern(r'\{\s*"')

_DECODER = json.JSONDecoder()
_WIDE_DECODER = json.JSONDecoder(parse_int=float)
"""Takes integers of any length: Python's own parser refuses more than 4,300 digits."""


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """What a line held.

    Attributes:
        records: The JSON objects in it, in order.
        fault: What was wrong with the rest of it, or empty.
    """

    records: tuple[JsonRecord, ...]
    fault: str = ""


def parse_line(line: str) -> ParsedLine:
    """Return the JSON objects of one line.

    A crash leaves a torn record, and the restarted run may write its first record behind it on
    the same line: then the whole one is found. An array gives the objects in it.
    """
    records: list[JsonRecord] = []
    at = 0
    line = line.strip()
    while at < len(line):
        try:
            value, at = _decode(line, at)
        except (ValueError, RecursionError) as error:
            rescued = _rescue(line, at)
            records.extend(rescued)
            return ParsedLine(tuple(records), "" if rescued else _explain(error))
        records.extend(_objects(value))
        while at < len(line) and line[at] in " \t,":
            at += 1
    return ParsedLine(tuple(records))


def parse_whole(text: str) -> JsonRecord | None:
    """Return the one JSON object that a text consists of; None if it is anything else."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        value, end = _decode(text, 0)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and end == len(text) else None


def _decode(text: str, at: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _WIDE_DECODER.raw_decode(text, at)


def _objects(value: object) -> Iterator[JsonRecord]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _rescue(line: str, at: int) -> list[JsonRecord]:
    """The records that fill the rest of a line from somewhere on."""
    starts = [match.start() for match in _OPENING.finditer(line, at + 1)][-_TRIES:]
    for start in starts:
        whole = parse_whole(line[start:])
        if whole is not None and (_places(whole) or not line[:start].rstrip().endswith(":")):
            return [whole]
    return []


def _places(record: JsonRecord) -> bool:
    """Whether a record says where it stands: the part of another record does not."""
    return any(plain(name) in STEP_NAMES or plain(name) in EPOCH_NAMES for name in record)


def _explain(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} at character {error.pos + 1:,}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not JSON"
