"""The lines of a growing log, its progress bars taken apart, handed to the ledger in order."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING

from lossmon.readers.files.terminal import resolved, shown
from lossmon.readers.text import announcements, failures
from lossmon.readers.text.bars import Bars
from lossmon.readers.text.ledger import Ledger
from lossmon.readers.text.progress_bars import without_gauge
from lossmon.readers.text.steps import Row
from lossmon.readers.text.tables import Table
from lossmon.readers.text.templates import Match, Shapes, Template

if TYPE_CHECKING:
    from lossmon.readers.text.user_patterns import Pattern

SLICE = 128
"""Lines worked through between two looks at the clock: well under a millisecond of known shapes."""

SLOW = 0.01
"""Seconds after which a slice was too long: hostile lines may take milliseconds each."""

PANE = 5000
"""Lines kept of one batch for the log pane, the newest."""

_MARKERS = failures.MARKERS + announcements.MARKERS
_RECALLS = re.compile(r"(?i)best iteration is:\s*$")


def _no_match(line: str) -> re.Match[str] | None:
    return None


class TextLog:
    """Reads the decoded lines of one log in the order in which they were written.

    Attributes:
        ledger: What was found so far.
    """

    def __init__(self, pattern: Pattern | None = None, order: int = 0) -> None:
        """Start at the beginning of a log.

        Args:
            pattern: Reads the lines in place of the grammar, where it fits.
            order: Position of its first record.
        """
        self.ledger = Ledger(order)
        self._pattern = pattern
        self._todo: list[str] = []
        self._at = 0
        self._open = False
        """The last of `_todo` has not got its newline yet: more states of a bar may follow."""
        self._continued = False
        """The next line goes on where the last one was left open."""
        self._alert = False
        """The lines at hand may tell of a crash or the plan of the run."""
        self._plain = True
        """None of the lines at hand is special."""
        self._recalled = False
        """The next line repeats the best round."""
        self._table: Table | None = None
        self._before = ""
        self._pane: deque[str] = deque(maxlen=PANE)
        self._shapes = Shapes(_MARKERS)
        self._bars = Bars(self._shapes, self.ledger)

    @property
    def state(self) -> str:
        """Newest state of the bar that is being painted, empty if there is none."""
        return self._bars.state

    @property
    def pending(self) -> int:
        """Characters that were pushed and not yet worked through."""
        return sum(len(line) + 1 for line in self._todo[self._at :])

    def push(self, text: str) -> None:
        r"""Add whole lines, ended by `\n`, `\r\n`, or a `\r` that something follows.

        Everything that was pushed before must have been worked through.
        """
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        if "\x1b" in text or "\b" in text:
            text = resolved(text)
        self._todo, self._at = text.split("\n"), 0
        self._open = self._todo[-1] != ""
        if not self._open:
            self._todo.pop()
        painted = "\r" in text or "%|" in text or "━" in text or "it [" in text
        self._alert = self.ledger.watching or (painted and any(sign in text for sign in _MARKERS))
        self._plain = not (self._alert or painted)

    def work(self, deadline: float) -> bool:
        """Work through what was pushed until the deadline; True when all is done."""
        size = SLICE
        while self._at < len(self._todo):
            begin = time.monotonic()
            lines = self._todo[self._at : self._at + size]
            self._at += len(lines)
            last = self._at == len(self._todo)
            if self._pattern is not None and not self._pattern.failure:
                self._patterned(lines, self._open and last)
            else:
                self._lines(lines, self._open and last)
            now = time.monotonic()
            if now >= deadline and not last:
                return False
            size = max(1, size // 4) if now - begin > SLOW else min(SLICE, size * 2)
        self._todo, self._at = [], 0
        return True

    def take_lines(self) -> tuple[str, ...]:
        """Return the lines for the log pane that ended since the last call, the newest `PANE`."""
        lines = tuple(shown(line) for line in self._pane)
        self._pane.clear()
        return lines

    def _lines(self, lines: list[str], open_end: bool) -> None:
        """Read lines; those of one shape are given to the ledger together."""
        shapes, read = self._shapes, self._shapes.read
        match: Match = _no_match
        run: Template | None = None
        rows: list[Row] = []
        plain = self._plain and not self._is_special("")
        if plain:
            self._pane.extend(lines)
        last = len(lines) - 1 if open_end else -1
        for number, line in enumerate(lines):
            if not plain:
                if self._is_special(line):
                    self._flush(run, rows)
                    run, rows, match = None, [], _no_match
                    self._special(line, number == last)
                    continue
                self._pane.append(line)
            if (again := match(line)) is not None:
                rows.append(again.groups())
                continue
            found = read(line)
            if shapes.alarming:
                self._flush(run, rows)
                if plain:
                    self._unshow(len(lines) - number)
                self._before = lines[number - 1] if number else self._before
                self._alarmed(lines[number:], open_end)
                return
            if found is None:
                continue
            if found[0].parsed.columns:
                self._flush(run, rows)
                self._begin_table(found[0], line)
                if plain:
                    self._unshow(len(lines) - number - 1)
                self._lines(lines[number + 1 :], open_end)
                return
            self._flush(run, rows)
            run, rows = found[0], [found[1]]
            match = _no_match if run.commas else run.match
        self._flush(run, rows)
        if lines:
            self._before = lines[-1]

    def _alarmed(self, lines: list[str], open_end: bool) -> None:
        """Read lines of which the first may tell of a crash or the plan of the run."""
        self._alert = True
        self._lines(lines, open_end)

    def _unshow(self, count: int) -> None:
        """Take back lines that went to the log pane in advance."""
        for _ in range(min(count, len(self._pane))):
            self._pane.pop()

    def _patterned(self, lines: list[str], open_end: bool) -> None:
        """Read lines by the user's pattern; those it does not fit are read as always."""
        assert self._pattern is not None
        for number, (line, found) in enumerate(zip(lines, self._pattern.find(lines), strict=True)):
            if found is None:
                self._lines([line], open_end and number == len(lines) - 1)
                continue
            self._pane.append(line.rsplit("\r", 1)[-1])
            self.ledger.take_rows(found[0], [found[1]])
            self._before = line

    def _flush(self, run: Template | None, rows: list[Row]) -> None:
        if run is not None:
            self.ledger.take_rows(run, rows)

    def _is_special(self, line: str) -> bool:
        return (
            "\r" in line
            or self._alert
            or self._continued
            or self._recalled
            or self._table is not None
            or self._bars.holding
            or "%|" in line
            or "it [" in line
            or "━" in line
        )

    def _special(self, line: str, unfinished: bool) -> None:
        """Read a line that needs more than its shape: bars, crashes, announcements."""
        frames = line.split("\r")
        if len(frames) > 1:
            self._states(frames[:-1])
        continued, self._continued = self._continued, unfinished
        if not unfinished:
            self._frame(frames[-1], ended=True)
            if not continued and "\r" not in line and not line.strip():
                self._pane.append(line)
            self._bars.end_line()
        self._before = line

    def _states(self, frames: list[str]) -> None:
        """Read states that were painted over; of bars without metrics the last one is enough."""
        for frame in self._bars.newest(frames):
            self._frame(frame, ended=False)

    def _frame(self, frame: str, *, ended: bool) -> None:
        """Read one state of a line; `ended` if it is the one that stays."""
        rest = self._bars.read(frame, ended)
        if rest is None and frame and not frame.isspace():
            self._text(frame, ended)
        elif rest:
            self._text(rest, ended)
        elif rest == "" and ended and self._bars.is_shown(frame):
            self._pane.append(frame)

    def _text(self, text: str, ended: bool) -> None:
        bare = without_gauge(text) if "━" in text else text
        found = self._row(bare) if ended else None
        if found is None:
            found = self._shapes.read(bare)
            self._alert = self._alert or self._shapes.alarming
        self._bars.state = "" if ended else text
        if ended:
            self._pane.append(text)
            self._bars.settle()
            if found is not None and found[0].parsed.columns:
                self._begin_table(found[0], bare)
            elif found is not None and not self._recalled:
                self.ledger.take_rows(found[0], [found[1]])
            self._recalled = _RECALLS.search(text) is not None
            if self._alert:
                self.ledger.notice(text, self._before)
        elif found is not None and found[0].parsed.trainer:
            self.ledger.take_rows(found[0], [found[1]])
        elif found is not None and found[0].values:
            self._bars.redrawn(*found)

    def _begin_table(self, head: Template, line: str) -> None:
        if self._table is not None and self._table.names == head.parsed.columns:
            return
        self._table = Table(head.parsed.columns)
        self._table.row(line)

    def _row(self, text: str) -> tuple[Template, Row] | None:
        """Read a line as the row of a table, if one was begun."""
        if self._table is None:
            return None
        if self._table.over:
            self._table = None
            return None
        return self._table.row(text)
