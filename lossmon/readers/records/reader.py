"""Reader for a growing text file of records, one per line, whatever their syntax."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from lossmon.readers.files.lines import LineTail, TextLine, is_silent, line_count
from lossmon.readers.files.tail import read_until
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.axis import OtherAxisError
from lossmon.readers.records.columns import MOST_TAGS, MetricColumns, RecordLayout
from lossmon.readers.records.frame import RecordFrame
from lossmon.types import Axis, Batch

SILENCE = 2.0
"""Seconds without a write after which a last line without its end is taken to be whole. A writer
stops in the middle of a line because its buffer is full, and soon goes on; one that has ended
leaves the line for good."""

MOST_NOTES = 20
"""Notes about lines of one file; more would not tell more."""


FEW = 64
"""Lines below which more are read before they are parsed: a record of thousands of names costs more
by its names than by its values."""

NAMES_PER_LINE = 8
"""The same in names per line: 5,000 names that come now and then cost as much by frame as all of
their values in 600 lines."""

LARGE = 4 << 20
"""Bytes of lines that are parsed however few they are."""


class LineFault(NamedTuple):
    """A line that could not be read, or that is worth a note.

    Attributes:
        line: Its index among the lines that were parsed, from 0.
        reason: What is wrong with it, or new.
        skipped: Its contents are lost.
        lines: How many lines are meant: this one and later ones.
    """

    line: int
    reason: str
    skipped: bool = True
    lines: int = 1


class LineParser(Protocol):
    """Parses the lines of one file in their order."""

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return the records of the next lines, which come with their ends."""
        ...

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether a line that has not ended yet can be parsed already.

        Args:
            line: What is there of it.
            quiet: Nothing was written for `SILENCE`.
        """
        ...


MakeLayout = Callable[[Axis | None], RecordLayout]
"""Makes the layout of a file from its beginning; the axis is known if the file is read again."""


class RecordReader:
    """Reads the records of a growing text file.

    A last line without its end is read once its parser considers it whole. Lines that cannot be
    parsed are skipped with a note.

    Args:
        source: Name of the format family.
        parser: Makes a parser for a file from its beginning.
        layout: Makes the layout, which knows the meaning of the records.
    """

    def __init__(
        self,
        path: Path,
        source: str,
        parser: Callable[[], LineParser],
        layout: MakeLayout = MetricColumns,
    ) -> None:
        self.path = path
        self.source = source
        self._make_parser = parser
        self._make_layout = layout
        self._batch = BatchBuilder(MOST_TAGS)
        self._axis: Axis | None = None
        self._has_given = False
        """Earlier calls returned points."""
        self._notes = 0
        self._tail = LineTail(path)
        self._reset()

    def _reset(self) -> None:
        self._parser = self._make_parser()
        self._layout = self._make_layout(self._axis)
        self._line, self._few = 1, FEW
        self._early: TextLine | None = None
        """The unfinished line whose records were read already."""

    def read(self, deadline: float) -> Batch:
        """Return the points of the records that were completed since the last call.

        Raises:
            ReadError: The file may not be read, or is not a regular file.
        """
        while True:
            try:
                self._read(deadline)
            except _LineContinuedError:
                self._read_again()
            except OtherAxisError as error:
                self._axis = error.axis
                self._read_again()
            else:
                break
        self._batch.notes += self._tail.drain_notes()
        batch = self._batch.drain(self._tail.pending)
        self._has_given = self._has_given or bool(batch.points)
        return batch

    def _read_again(self) -> None:
        """Start over at the beginning of the file, which did not change."""
        replaced = self._batch.replaced or self._has_given
        self._batch.restart()
        self._batch.replaced, self._has_given = replaced, False
        self._tail = LineTail(self.path)
        self._reset()

    def _read(self, deadline: float) -> None:
        text, count = b"", 0
        for chunk in read_until(self._tail, deadline):
            if self._tail.replaced:
                self._batch.restart()
                self._axis = None
                self._reset()
                text, count = b"", 0
            text += chunk.data
            count += line_count(chunk.data)
            if count >= self._few or len(text) >= LARGE:
                self._add(text, count)
                text, count = b"", 0
        self._add(text, count)
        self._add_unfinished()

    def _add(self, text: bytes, count: int) -> None:
        first = self._line
        if not text:
            return
        self._line += count
        if self._early is not None:
            early = text.splitlines(keepends=True)[0]
            if early.strip() != self._early.text.strip().encode():
                raise _LineContinuedError
            self._early = None
            text, first = text[len(early) :], first + 1
        frame, faults = self._parser.parse(text)
        self._few = max(FEW, len(frame.columns) // NAMES_PER_LINE)
        self._layout.add(frame, self._batch)
        for fault in faults:
            if not fault.skipped:
                self._note(f"line {first + fault.line:,}: {fault.reason}")
        bad = [fault for fault in faults if fault.skipped]
        if bad:
            others = sum(fault.lines for fault in bad) - 1
            more = f", and {others:,} more like it" if others else ""
            self._note(f"line {first + bad[0].line:,} skipped: {bad[0].reason}{more}")

    def _note(self, text: str) -> None:
        if self._notes < MOST_NOTES:
            self._notes += 1
            self._batch.notes.append(text)

    def _add_unfinished(self) -> None:
        line = self._tail.unfinished
        if line is None or line == self._early or self._tail.pending:
            # With bytes left to read, it is where the last block was cut.
            return
        if self._early is not None:
            raise _LineContinuedError
        if self._parser.is_whole(line.text, is_silent(self.path, SILENCE)):
            frame, _ = self._parser.parse(line.text.encode() + b"\n")
            self._layout.add(frame, self._batch)
            self._early = line


class _LineContinuedError(Exception):
    """A line that was considered whole has grown."""
