"""JSON lines: their reader, and a tolerant parser for lines that the bulk parser leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.lines import decode
from lossmon.readers.records.columns import USEFUL_TEXTS, MetricColumns
from lossmon.readers.records.frame import FrameBuilder, JsonRecord, RecordFrame
from lossmon.readers.records.json_bulk import JsonTable, count_alike, grouped, parse_table
from lossmon.readers.records.names import EPOCH_NAMES, STEP_NAMES, plain
from lossmon.readers.records.reader import LineFault, MakeLayout, RecordReader
from lossmon.types import Ints

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


class JsonParser:
    """Parses lines that hold one JSON object each.

    Args:
        texts: Names of the texts that are of use, as `plain` gives them; of lines in bulk the
            others are left out.
    """

    def __init__(self, texts: frozenset[str] = USEFUL_TEXTS) -> None:
        self._texts = texts

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return the records of some lines, and the lines that are not JSON."""
        cells = FrameBuilder()
        if count := count_alike(text):
            table = parse_table(text, count, self._texts)
            if table is not None:
                table.add_to(cells, np.arange(count, dtype=np.int64))
                return cells.frame(count), []
        lines = text.splitlines()
        tables, rest = self._tables(lines)
        parsed = [(index, parse_line(decode(lines[index]))) for index in rest]
        counts = np.ones(len(lines), np.int64)
        for index, line in parsed:
            counts[index] = len(line.records)
        starts: Ints = np.cumsum(counts) - counts
        _add_lines(cells, parsed, starts)
        for table, indices in tables:
            table.add_to(cells, starts[indices])
        faults = [
            LineFault(index, f"not JSON ({line.fault})") for index, line in parsed if line.fault
        ]
        return cells.frame(int(counts.sum())), faults

    def _tables(self, lines: list[bytes]) -> tuple[list[tuple[JsonTable, Ints]], list[int]]:
        """The lines that can be parsed in bulk, and the indices of the others."""
        tables: list[tuple[JsonTable, Ints]] = []
        rest: list[int] = []
        for members in grouped(lines):
            alike = b"\n".join([lines[index] for index in members])
            table = parse_table(alike, len(members), self._texts)
            if table is None:
                rest += members
            else:
                tables.append((table, np.array(members, np.int64)))
        return tables, sorted(rest)

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether an unfinished line is an object already: no part of one is."""
        return parse_whole(line) is not None


def _add_lines(cells: FrameBuilder, parsed: list[tuple[int, ParsedLine]], starts: Ints) -> None:
    for index, line in parsed:
        for at, record in enumerate(line.records):
            cells.add_record(int(starts[index]) + at, record)


def json_lines(
    path: Path, source: str = "jsonl", layout: MakeLayout = MetricColumns
) -> RecordReader:
    """Return a reader of JSON lines."""
    return RecordReader(path, source, JsonParser, layout)
