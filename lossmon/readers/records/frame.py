"""Some consecutive records of a log as sparse columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import field
from operator import itemgetter

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number
from lossmon.types import Floats, Ints

JsonRecord = Mapping[str, object]

DEPTH = 8
"""Levels of nesting that become part of a name; what lies deeper is not a metric."""


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """One quantity of a frame.

    Attributes:
        rows: Which records hold it, strictly ascending.
        values: Its value in each of them.
    """

    rows: Ints
    values: Floats


@dataclass(slots=True)
class RecordFrame:
    """Consecutive records: their numbers by column, their texts by name.

    Attributes:
        n: Records, those without any number included.
        columns: Numbers by name, as the source spells it; nested names are joined with `/`.
        texts: Texts that are not numbers, by name: `(row, text)`, rows ascending.
    """

    n: int = 0
    columns: dict[str, FrameColumn] = field(default_factory=dict)
    texts: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


class FrameBuilder:
    """Numbers and texts that are gathered one by one, or column by column, into a frame."""

    def __init__(self) -> None:
        self._rows: dict[str, array[int]] = {}
        self._values: dict[str, array[float]] = {}
        self._blocks: dict[str, list[FrameColumn]] = {}
        self._texts: dict[str, list[tuple[int, str]]] = {}

    def add(self, row: int, name: str, value: object) -> None:
        """Note one value; one that is neither a number nor text is left out.

        A name that comes twice in a row keeps its last value.
        """
        taken = number(value)
        if taken is None:
            if isinstance(value, str) and value:
                self._texts.setdefault(name, []).append((row, value))
            return
        rows = self._rows.get(name)
        if rows is None:
            # A large document has millions of cells: lists of them would take thrice the memory.
            rows = self._rows[name] = array("q")
            self._values[name] = array("d")
        if rows and rows[-1] == row:
            self._values[name][-1] = taken
            return
        rows.append(row)
        self._values[name].append(taken)

    def add_record(self, row: int, record: JsonRecord, prefix: str = "", depth: int = 0) -> None:
        """Note what a record holds, nested records with their names joined by `/`."""
        for key, value in record.items():
            name = prefix + clean_name(key)
            if isinstance(value, dict):
                if depth < DEPTH:
                    self.add_record(row, value, name + "/", depth + 1)
            else:
                self.add(row, name, value)

    def add_column(self, name: str, column: FrameColumn) -> None:
        """Note many values of one name; rows may lie between those noted before."""
        if len(column.rows):
            self._blocks.setdefault(name, []).append(column)

    def add_texts(self, name: str, texts: Iterable[tuple[int, str]]) -> None:
        """Note many texts of one name; rows may lie between those noted before."""
        self._texts.setdefault(name, []).extend(texts)

    def frame(self, n: int) -> RecordFrame:
        """Return what was gathered from `n` records."""
        for name, rows in self._rows.items():
            values = np.array(self._values[name], np.float64)
            self.add_column(name, FrameColumn(np.array(rows, np.int64), values))
        self._rows, self._values = {}, {}
        columns = {name: _joined(blocks) for name, blocks in self._blocks.items()}
        texts = {
            name: sorted(texts, key=itemgetter(0)) for name, texts in self._texts.items() if texts
        }
        return RecordFrame(n, columns, texts)


def _joined(blocks: list[FrameColumn]) -> FrameColumn:
    if len(blocks) == 1:
        return blocks[0]
    rows = np.concatenate([block.rows for block in blocks])
    values = np.concatenate([block.values for block in blocks])
    order = np.argsort(rows, kind="stable")
    return FrameColumn(rows[order], values[order])


def frame_of(records: Iterable[JsonRecord]) -> RecordFrame:
    """Return records as a frame, in their order."""
    cells, n = FrameBuilder(), 0
    for record in records:
        cells.add_record(n, record)
        n += 1
    return cells.frame(n)
