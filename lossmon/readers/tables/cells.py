"""Cells of a table, row by row in bulk."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.lines import decode
from lossmon.readers.records.frame import FrameBuilder, FrameColumn, RecordFrame
from lossmon.readers.records.json_bulk import as_column, is_worth
from lossmon.readers.records.names import plain
from lossmon.readers.records.reader import LineFault
from lossmon.readers.tables.detection import TableHeader, next_header
from lossmon.readers.values import number
from lossmon.types import Floats, Ints

_EMPTY = b"-98765432"
"""Stands for an empty cell while numpy parses a table; rows that hold it are parsed cell by cell.
An integer of few digits costs the least to parse."""

_EMPTY_VALUE = float(_EMPTY)

_NUMERIC = b"0123456789.+-eE \n"
"""What rows of finite numbers hold beside the delimiter."""

_OTHERS = {byte: bytes(set(range(256)) - {byte[0], 10}) for byte in (b",", b"\t", b";", b"|", b" ")}
"""All bytes but a delimiter and the line end."""


def parse_rows(
    text: bytes, header: TableHeader, wanted: frozenset[str]
) -> tuple[RecordFrame, list[LineFault], TableHeader]:
    """Return the rows of some lines, the lines that do not fit, and the header from then on.

    Args:
        text: The lines with their ends.
        header: What holds for the first of them.
        wanted: Names of the texts that are of use, as `plain` gives them.
    """
    cells, faults, n, start = FrameBuilder(), list[LineFault](), 0, 0
    if header.delimiter and text and is_worth(text):
        grid = read_grid(text, header.delimiter.encode(), len(header.names))
        if grid is not None:
            return grid.frame(header.names), faults, header
    lines = text.splitlines()
    worded = bool(b"\n".join(lines).translate(None, _NUMERIC + header.delimiter.encode()))
    while start < len(lines):
        end, successor = next_header(lines, start, header) if worded else (len(lines), header)
        n += _parse_block(lines[start:end], start, n, header, wanted, cells, faults)
        if not set(header.names) <= set(successor.names):
            faults.append(
                LineFault(end, f"another header, from here on {successor}", skipped=False)
            )
        header, start = successor, end + 1
    return cells.frame(n), faults, header


def _parse_block(
    lines: list[bytes],
    first: int,
    row: int,
    header: TableHeader,
    wanted: frozenset[str],
    cells: FrameBuilder,
    faults: list[LineFault],
) -> int:
    """Add the rows of some lines under one header; return how many they are."""
    delimiter, width = header.delimiter.encode(), len(header.names)
    if delimiter and _is_plain(lines, delimiter):
        good, bad = _by_width(lines, delimiter, width)
        if _parse_numbers(good, row, header, wanted, cells):
            bad = [one for one in bad if lines[one[0]].strip()]
            if bad:
                fault = _ragged(first + bad[0][0], bad[0][1], width)
                faults.append(fault._replace(lines=len(bad)))
            return len(good)
    rows: list[list[str]] = []
    for index, line in enumerate(lines):
        values = header.split(decode(line))
        if len(values) == width:
            rows.append(values)
        elif line.strip():
            faults.append(_ragged(first + index, len(values), width))
    for name, texts in zip(header.names, zip(*rows, strict=True), strict=False):
        if name:
            _add_cells(cells, row, name, texts, header, wanted)
    return len(rows)


def _is_plain(lines: list[bytes], delimiter: bytes) -> bool:
    """Whether no cell is quoted and no number written with a decimal comma."""
    body = b"".join(lines)
    return b'"' not in body and not (delimiter == b";" and b"," in body)


def _by_width(
    lines: list[bytes], delimiter: bytes, width: int
) -> tuple[list[bytes], list[tuple[int, int]]]:
    """The lines with as many cells as the header, and `(index, cells)` of the others."""
    grid = b"\n".join(lines).translate(None, _OTHERS[delimiter])
    if grid == b"\n".join([delimiter * (width - 1)] * len(lines)):
        return lines, []
    counts = [line.count(delimiter) + 1 for line in lines]
    bad = [(index, count) for index, count in enumerate(counts) if count != width]
    return [line for line, count in zip(lines, counts, strict=True) if count == width], bad


def _ragged(index: int, count: int, width: int) -> LineFault:
    return LineFault(index, f"{count:,} cells where the header has {width:,}")


def _add_cells(
    cells: FrameBuilder,
    row: int,
    name: str,
    texts: Sequence[str],
    header: TableHeader,
    wanted: frozenset[str],
) -> None:
    """Add the cells of one column, given as text; texts repeat themselves more than numbers do."""
    found = {text: number(text) for text in set(texts)}
    if header.delimiter == ";":
        for text in [text for text, value in found.items() if value is None and "," in text]:
            found[text] = number(text.replace(",", ".", 1))
    values = [found[text] for text in texts]
    rows = np.array([row + at for at, one in enumerate(values) if one is not None], np.int64)
    taken = np.array([one for one in values if one is not None], np.float64)
    cells.add_column(name, FrameColumn(rows, taken))
    if plain(name) in wanted:
        pairs = enumerate(zip(texts, values, strict=True))
        cells.add_texts(name, [(row + at, t) for at, (t, v) in pairs if v is None and t])


def _parse_numbers(
    lines: list[bytes], row: int, header: TableHeader, wanted: frozenset[str], cells: FrameBuilder
) -> bool:
    """Add rows of numbers in bulk; False if that cannot read them."""
    if not lines:
        return True
    numeric = _numeric_columns(lines, header)
    if not numeric:
        return False
    delimiter = header.delimiter.encode()
    body = b"\n" + b"\n".join(lines) + b"\n"
    if _EMPTY in body:
        return False
    numbers = _loaded(_fill(body, delimiter), header, numeric)
    if numbers is None or len(numbers) != len(lines):
        return False
    rows = np.arange(row, row + len(lines), dtype=np.int64)
    for at, index in enumerate(numeric):
        cells.add_column(header.names[index], _present(rows, numbers[:, at]))
    _add_texts(lines, row, header, frozenset(numeric), wanted, cells)
    return True


def _loaded(body: bytes, header: TableHeader, numeric: list[int]) -> Floats | None:
    """Parse the columns of numbers with numpy, None if it cannot read them."""
    source = io.BytesIO(body)
    try:
        return np.loadtxt(
            source, delimiter=header.delimiter, usecols=numeric, ndmin=2, comments=None
        )
    except ValueError:
        return None


def _numeric_columns(lines: list[bytes], header: TableHeader) -> list[int]:
    """Columns whose first cell that is not empty is a number, or that are empty."""
    open_columns = {index for index, name in enumerate(header.names) if name}
    numeric = set(open_columns)
    delimiter = header.delimiter.encode()
    for line in lines:
        values = line.split(delimiter)
        decided = {index for index in open_columns if values[index].strip()}
        for index in decided:
            try:
                float(values[index])
            except ValueError:
                numeric.discard(index)
        open_columns -= decided
        if not open_columns:
            break
    return sorted(numeric)


def _fill(body: bytes, delimiter: bytes) -> bytes:
    """Write the sign for nothing into empty cells."""
    empty = delimiter + delimiter
    if empty in body:
        filled = delimiter + _EMPTY + delimiter
        # Neighbouring empty cells share a delimiter, so it takes two passes.
        body = body.replace(empty, filled).replace(empty, filled)
    body = body.replace(b"\n" + delimiter, b"\n" + _EMPTY + delimiter)
    return body.replace(delimiter + b"\n", delimiter + _EMPTY + b"\n")


def _present(rows: Ints, values: Floats) -> FrameColumn:
    filled = values != _EMPTY_VALUE
    if filled.all():
        return FrameColumn(rows, values)
    return FrameColumn(rows[filled], values[filled])


def _add_texts(
    lines: list[bytes],
    row: int,
    header: TableHeader,
    numeric: frozenset[int],
    wanted: frozenset[str],
    cells: FrameBuilder,
) -> None:
    delimiter = header.delimiter.encode()
    for index, name in enumerate(header.names):
        if index in numeric or not name:
            continue
        texts = [decode(line.split(delimiter)[index]).strip() for line in lines]
        _add_cells(cells, row, name, texts, header, wanted)


_LINE_FEED, _RETURN, _BLANK, _COMMA = b"\n\r ,"


@dataclass(frozen=True, slots=True)
class NumberGrid:
    """The numbers of some rows.

    Attributes:
        values: float64, one row per line and one column per cell; arbitrary where a cell is empty.
        present: Which cells are not empty, of the same shape; None if none is empty.
    """

    values: Floats
    present: NDArray[np.bool_] | None

    def frame(self, names: Sequence[str]) -> RecordFrame:
        """Return the columns with a name as a frame, without empty cells."""
        cells, n = FrameBuilder(), len(self.values)
        rows = np.arange(n, dtype=np.int64)
        for at, name in enumerate(names):
            if name:
                cells.add_column(name, self._column(at, rows))
        return cells.frame(n)

    def _column(self, at: int, rows: Ints) -> FrameColumn:
        values = self.values[:, at]
        if self.present is None or (present := self.present[:, at]).all():
            return FrameColumn(rows, values)
        return FrameColumn(rows[present], values[present])


def read_grid(text: bytes, delimiter: bytes, width: int) -> NumberGrid | None:
    """Decode rows as one JSON array, which is several times as fast as numpy's parser of tables.

    Args:
        text: At least one line; all with their ends.
        delimiter: One byte.
        width: Cells per row.

    Returns:
        None unless each line has that many cells, all of them numbers in JSON's spelling or empty,
        and the same end.
    """
    first = text[: text.find(b"\n")].strip()
    if _decoded(b"[%b]" % b",".join(filter(None, first.split(delimiter)))) is None:
        # A table with words costs no more than a look at one row.
        return None
    if delimiter != b",":
        if b"," in text:
            return None
        text = text.replace(delimiter, b",")
    raw = np.frombuffer(text, np.uint8)
    ends = _cell_ends(raw, width)
    if ends is None:
        return None
    last = ends[width - 1 :: width]
    lengths = np.diff(ends, prepend=-1)
    if b"\r" in text:
        if not _all_return(raw, last):
            return None
        lengths[width - 1 :: width] -= 1
    # A zero behind the last comma: each comma follows a cell, and that of an empty one is blanked.
    array = np.empty(len(raw) + 3, np.uint8)
    array[0], array[-2], array[-1] = b"[0]"
    cells = array[1:-2]
    cells[:] = raw
    cells[last] = _COMMA
    present = lengths > 1
    is_full = bool(present.all())
    if not is_full:
        cells[ends[~present]] = _BLANK
    found = _decoded(array.data)
    if found is None:
        return None
    if is_full:
        return NumberGrid(found[:-1].reshape(-1, width), None)
    values = np.zeros(len(ends))
    values[present] = found[:-1]
    return NumberGrid(values.reshape(-1, width), present.reshape(-1, width))


def _cell_ends(raw: NDArray[np.uint8], width: int) -> NDArray[np.intp] | None:
    """Offsets of the commas and line feeds; None if rows differ in their cells."""
    feeds = raw == _LINE_FEED
    ends = np.flatnonzero(feeds | (raw == _COMMA))
    is_even = len(ends) == np.count_nonzero(feeds) * width and feeds[ends[width - 1 :: width]].all()
    return ends if is_even else None


def _all_return(raw: NDArray[np.uint8], feeds: NDArray[np.intp]) -> bool:
    """Whether carriage returns stand before all line feeds, and nowhere else."""
    returns = raw == _RETURN
    return len(feeds) == np.count_nonzero(returns) and bool(returns[feeds - 1].all())


def _decoded(array: bytes | memoryview) -> Floats | None:
    """Numbers of a JSON array; None if one of its items is not a number."""
    from msgspec import DecodeError
    from msgspec.json import decode

    try:
        return as_column(decode(array, type=list[float]))
    except (DecodeError, ValueError):
        return None
