"""JSON lines: one record a line, appended as the run goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossmon.readers.files.lines import decode
from lossmon.readers.records.columns import USEFUL_TEXTS, MetricColumns
from lossmon.readers.records.frame import FrameBuilder, RecordFrame
from lossmon.readers.records.json_bulk import JsonTable, grouped, parse_table
from lossmon.readers.records.json_records import ParsedLine, parse_line, parse_whole
from lossmon.readers.records.reader import LineFault, MakeLayout, RecordReader
from lossmon.types import Ints


class JsonParser:
    """Parses lines that hold one JSON object each.

    Args:
        texts: Names of the texts that are of use, as `plain` gives them; of lines in bulk the
            others are left out.
    """

    def __init__(self, texts: frozenset[str] = USEFUL_TEXTS) -> None:
        self._texts = texts

    def parse(self, lines: list[bytes]) -> tuple[RecordFrame, list[LineFault]]:
        """Return the records of some lines, and the lines that are not JSON."""
        tables, rest = self._tables(lines)
        parsed = [(index, parse_line(decode(lines[index]))) for index in rest]
        counts = np.ones(len(lines), np.int64)
        for index, line in parsed:
            counts[index] = len(line.records)
        starts: Ints = np.cumsum(counts) - counts
        cells = FrameBuilder()
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
            alike = lines if len(members) == len(lines) else [lines[index] for index in members]
            table = parse_table(alike, self._texts)
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
