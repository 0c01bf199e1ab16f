"""Readers for tables of numbers as text: CSV, and the tables of frameworks."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from lossmon.readers.files.lines import decode
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.jsonl.frameworks import RAY, SB3
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import USEFUL_TEXTS, ColumnRoles, MetricColumns
from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.long_form import LONG_FORM_TEXTS, LongForm
from lossmon.readers.records.names import clean_name, name_below, names_loss, names_metric, plain
from lossmon.readers.records.reader import LineFault, MakeLayout, RecordReader
from lossmon.readers.settings.reader import SettingsReader, dotted
from lossmon.readers.tables.cells import parse_rows
from lossmon.readers.tables.detection import TableHeader, find_header
from lossmon.regular_file import open_regular
from lossmon.types import Axis, Facts


class TableParser:
    """Parses the rows of a table, which begins with its header.

    A header that comes again is left out; one with other names holds from there on.

    Args:
        texts: Names of the texts that are of use, as `plain` gives them.
    """

    def __init__(self, texts: frozenset[str] = USEFUL_TEXTS) -> None:
        self._texts = texts
        self._header: TableHeader | None = None
        self._comment: bytes | None = None

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return the rows of the next lines, and the lines that do not fit the header."""
        skipped = 0
        if self._header is None:
            lines = text.splitlines(keepends=True)
            skipped = self._skip_to_rows(lines)
            text = b"".join(lines[skipped:])
        if self._header is None:
            return RecordFrame(), []
        frame, faults, header = parse_rows(text, self._header, self._texts)
        self._header = header
        if skipped:
            faults = [fault._replace(line=fault.line + skipped) for fault in faults]
        return frame, faults

    def _skip_to_rows(self, lines: list[bytes]) -> int:
        for index, line in enumerate(lines):
            # A tab at the end is the delimiter of a cell without a name, as its rows have it.
            text = decode(line).strip(" \r\n")
            if text.startswith("#"):
                self._comment = line.rstrip(b"\r\n")
            elif text.strip():
                self._header = find_header(text, decode(self._comment or b""))
                return index + self._header.is_own_line
        return len(lines)

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether an unfinished row has all its cells, and its writer is done."""
        return quiet and self._header is not None and self._header.fits(line)


class NumberParser:
    """Parses rows of numbers without a header: a value each, or its step and it.

    Args:
        name: Of the values.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._header: TableHeader | None = None

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return the rows of the next lines, and the lines that do not fit the first one."""
        if self._header is None:
            first = next(filter(bytes.strip, text.splitlines()), b"")
            if not first:
                return RecordFrame(), []
            header = find_header(decode(first))
            names = ("step", self._name)[-len(header.names) :]
            self._header = TableHeader(names, header.delimiter, False, b"")
        frame, faults, _ = parse_rows(text, self._header, frozenset())
        return frame, faults

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether the writer of an unfinished row is done."""
        return quiet and self._header is not None and self._header.fits(line)


def table(path: Path, source: str = "csv", layout: MakeLayout = MetricColumns) -> RecordReader:
    """Return a reader of a table."""
    return RecordReader(path, source, TableParser, layout)


def open_general(path: Path) -> RecordReader:
    """Return a reader of anybody's table; a column `value` is what the file is named after."""
    is_named = names_metric(path.stem) or names_loss(path.stem)
    columns = ColumnRoles(renamed={"value": path.stem} if is_named else {})
    return table(path, layout=lambda axis: MetricColumns(axis, columns))


def open_numbers(path: Path) -> RecordReader:
    """Return a reader of a file that holds the curve that it is named after."""
    return RecordReader(path, "csv", partial(NumberParser, clean_name(path.stem)), MetricColumns)


def open_long_form(path: Path) -> RecordReader:
    """Return a reader of a table with one named value per row."""
    parser = partial(TableParser, LONG_FORM_TEXTS)
    return RecordReader(path, "csv", parser, lambda axis: LongForm(None, axis))


_LARGEST_ARGS = 1 << 16
"""Bytes that are read of a file of settings."""

_EPOCHS = re.compile(r"^epochs:\s*(\d{1,9})\s*$", re.MULTILINE)


def planned_epochs(path: Path) -> float | None:
    """Return the planned epochs in the `args.yaml` beside a table, None if there are none."""
    try:
        with open_regular(path.parent / "args.yaml") as file:
            text = file.read(_LARGEST_ARGS).decode(errors="replace")
    except OSError:
        return None
    match = _EPOCHS.search(text)
    return float(match[1]) if match is not None else None


class PlannedTable:
    """The layout of a table whose planned epochs are in a file beside it."""

    def __init__(self, axis: Axis | None, path: Path) -> None:
        self._metrics = MetricColumns(axis)
        self._path = path
        self._has_plan = False

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the points of every quantity, and once the plan."""
        self._metrics.add(frame, batch)
        if frame.n and not self._has_plan:
            self._has_plan = True
            epochs = planned_epochs(self._path)
            if epochs:
                batch.facts.append(Facts(total_epochs=epochs))


def _open(source: str, columns: ColumnRoles | None, path: Path) -> RecordReader:
    return table(path, source, lambda axis: MetricColumns(axis, columns))


def _open_planned(source: str, path: Path) -> RecordReader:
    return table(path, source, lambda axis: PlannedTable(axis, path))


open_lightning = partial(_open, "lightning", ColumnRoles(steps=("step",)))
open_deepspeed = partial(_open, "deepspeed", ColumnRoles(steps=("step",), axis=Axis.SAMPLES))
open_ultralytics = partial(_open_planned, "ultralytics")
open_timm = partial(_open_planned, "timm")
open_fastai = partial(_open, "fastai", None)
open_keras = partial(_open, "keras", None)
open_sb3 = partial(_open, "sb3_csv", SB3)
open_ray = partial(_open, "ray_csv", RAY)


def open_tensorboard(path: Path) -> RecordReader:
    """What TensorBoard calls `run-<run>-tag-<tag>.csv` holds the curve of one tag."""
    tag = clean_name(path.stem.rpartition("-tag-")[2])
    return _open("tensorboard_csv", ColumnRoles(steps=("step",), renamed={"value": tag}), path)


def open_dvclive(path: Path) -> RecordReader:
    """What DVCLive calls `metrics/train/loss.tsv` holds the curve of `train/loss`."""
    tag = name_below(path.with_suffix(""), "metrics")
    return _open("dvclive", ColumnRoles(steps=("step",), renamed={plain(path.stem): tag}), path)


def open_dvclive_settings(path: Path) -> SettingsReader:
    """Return a reader of the parameters that DVCLive keeps beside its metrics."""
    return SettingsReader(path, "dvclive", lambda _, text: facts_of(dotted(text)))
