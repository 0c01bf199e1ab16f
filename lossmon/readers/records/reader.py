"""Reads a growing text file of records, one a line, whatever their syntax."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from lossmon.readers.files.lines import Chunk, Line, LineTail, is_silent
from lossmon.readers.records.axis import OtherAxisError
from lossmon.readers.records.columns import Found, Layout, MetricColumns
from lossmon.readers.records.frame import Frame
from lossmon.types import Axis, Batch

SILENCE = 2.0
"""Seconds without a write after which a last line without its end is taken to be whole. A writer
that stops in mid-line does so because its buffer was full, and soon goes on; one that has ended
leaves the line for good."""


MOST_NOTES = 20
"""Notes about lines of one file; after them everybody knows."""


class Fault(NamedTuple):
    """A line that could not be read, or is worth a word.

    Attributes:
        line: Its place among the lines that were parsed, from 0.
        reason: What is wrong with it, or new.
        skipped: Its contents are lost.
    """

    line: int
    reason: str
    skipped: bool = True


class Parser(Protocol):
    """Knows the syntax of one file, from its beginning on."""

    def parse(self, lines: list[bytes]) -> tuple[Frame, list[Fault]]:
        """Return the records of the next lines, which come without their ends."""
        ...

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether a line that has not ended yet can be read already.

        Args:
            line: What is there of it.
            quiet: Nothing was written for `SILENCE`.
        """
        ...


MakeLayout = Callable[[Axis | None], Layout]
"""Makes the layout of a file that begins; the axis is known if the file is read again."""


class RecordReader:
    """Reads the records of a growing text file.

    A last line without its end is taken when its parser says that it is whole. Lines that cannot
    be read are left out with a note.

    Args:
        path: The file.
        source: Name of the format family.
        parser: Makes a parser for a file that begins.
        layout: Makes the layout that says what its records mean.
    """

    def __init__(
        self,
        path: Path,
        source: str,
        parser: Callable[[], Parser],
        layout: MakeLayout = MetricColumns,
    ) -> None:
        self.path = path
        self.source = source
        self._make_parser = parser
        self._make_layout = layout
        self._order = 0
        """Records of all of the lives of this file, so that positions never repeat."""
        self._axis: Axis | None = None
        self._given = False
        self._notes = 0
        self._begin_again()

    def _begin_again(self) -> None:
        self._tail = LineTail(self.path)
        self._begin_records()

    def _begin_records(self) -> None:
        self._parser = self._make_parser()
        self._layout = self._make_layout(self._axis)
        self._line = 1
        self._early: Line | None = None
        """The unfinished line whose records were given already."""

    def read(self, deadline: float) -> Batch:
        """Return the points of the records that were completed since the last call.

        Raises:
            ReadError: The file may not be read, or is not a regular file.
        """
        replaced = False
        while True:
            try:
                found, anew = self._read(deadline)
            except _BeginAgainError:
                pass
            except OtherAxisError as error:
                self._axis = error.axis
            else:
                break
            self._begin_again()
            replaced, self._given = replaced or self._given, False
        self._given = self._given or bool(found.points)
        found.notes.extend(self._tail.drain_notes())
        return found.batch(replaced=replaced or anew, pending=self._tail.pending)

    def _read(self, deadline: float) -> tuple[Found, bool]:
        found, anew = Found(), False
        while (chunk := self._tail.chunk()) is not None:
            if self._tail.replaced:
                # What this call found before is void, like everything that earlier calls gave.
                found, anew, self._axis = Found(), True, None
                self._begin_records()
            self._take(chunk, found)
            if time.monotonic() >= deadline:
                break
        self._take_rest(found)
        return found, anew

    def _take(self, chunk: Chunk, found: Found) -> None:
        lines, first = _split(chunk), self._line
        if not lines:
            return
        self._line += len(lines)
        if self._early is not None:
            if lines[0].strip() != self._early.text.strip().encode():
                raise _BeginAgainError
            self._early = None
            lines, first = lines[1:], first + 1
        frame, faults = self._parser.parse(lines)
        self._give(frame, found)
        for fault in faults:
            if not fault.skipped:
                self._note(f"line {first + fault.line:,}: {fault.reason}", found)
        bad = [fault for fault in faults if fault.skipped]
        if bad:
            more = f", and {len(bad) - 1:,} more like it" if len(bad) > 1 else ""
            self._note(f"line {first + bad[0].line:,} skipped: {bad[0].reason}{more}", found)

    def _note(self, text: str, found: Found) -> None:
        if self._notes < MOST_NOTES:
            self._notes += 1
            found.notes.append(f"{self.path.name}: {text}")

    def _take_rest(self, found: Found) -> None:
        rest = self._tail.rest
        if rest is None or rest == self._early:
            return
        if self._early is not None:
            raise _BeginAgainError
        if self._parser.is_whole(rest.text, is_silent(self.path, SILENCE)):
            frame, _ = self._parser.parse([rest.text.encode()])
            self._give(frame, found)
            self._early = rest

    def _give(self, frame: Frame, found: Found) -> None:
        self._layout.take(frame, self._order, found)
        self._order += frame.n


class _BeginAgainError(Exception):
    """A line that was taken for whole has gone on."""


def _split(chunk: Chunk) -> list[bytes]:
    data = chunk.data
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = data.split(b"\n")
    lines.pop()
    return lines
