"""Lines of a growing text log: progress bars separated, everything added to the ledger in order."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.lines import displayed, resolved
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text.bars import Bars
from lossmon.readers.text.facts import failures, run_facts
from lossmon.readers.text.grammar.table_heads import CLASSES, columns
from lossmon.readers.text.grammar.words import RATE, is_known, is_loss
from lossmon.readers.text.ledger import Ledger
from lossmon.readers.text.placement.hindsight import Hindsight
from lossmon.readers.text.progress_bars import may_have_tqdm, tqdm, without_gauge
from lossmon.readers.text.tables import PrintedTable
from lossmon.readers.text.templates import Groups, Match, Template, TemplateCache

if TYPE_CHECKING:
    from lossmon.readers.text.user_patterns import Pattern

SLICE = 256
"""Most lines read between two looks at the clock: well under a millisecond for known shapes."""

FIRST_SLICE = 16
"""Lines of the first slice: each new shape takes its part of a millisecond to learn."""

SLOW = 0.01
"""Seconds after which a slice was too long: hostile lines may take milliseconds each."""

PANE = 5000
"""Lines of one batch kept for the log pane, the newest."""

_WRAPPED = lazy_pattern(r"\s{20,}(?P<value>[A-Za-z][\w./-]{0,80}: [-+\w.]{1,30})\s*")
"""A metric of a rich bar that did not fit into its line."""

_BAR_HEAD = lazy_pattern(r".{0,200}(?:it/s|s/it)")
_OPENED = lazy_pattern(r"\{(?:['\"][^{}]*,)?\s*$")
"""The end of a line with which a record in braces begins that goes on below."""

_CONTINUED = lazy_pattern(r"\s*(?:['\"]\S|[\]}]+[\s,}\]]*|[-\d.][-+.\deE,\s]*\]?,?\s*$)")
"""The beginning of the lines below: a name, a bracket that closes, or a number of a list."""

NEAR = 12
"""Lines below one with a place or a loss in which lines of values alone belong to it."""

LONGEST_RECORD = 200
"""Lines of a record in braces that is read as one."""

_MARKERS = failures.MARKERS + run_facts.MARKERS
_RECALLS = lazy_pattern(r"(?i)best iteration(?: is)?:\s*$")


def _is_measured(tag: str) -> bool:
    """Whether a tag tells a record of metrics from one of settings, which has a rate as well."""
    return is_loss(tag) or (is_known(tag) and RATE.match(tag) is None)


def _no_match(line: str) -> re.Match[str] | None:
    return None


class TextLog:
    """Reads the decoded lines of a log in the order in which they were written.

    Args:
        batch: Where to add what is found.
        pattern: Reads the lines it matches instead of the grammar.
        hindsight: What is known of the log from reading it before.

    Attributes:
        ledger: Places the lines in the training.
    """

    def __init__(
        self,
        batch: BatchBuilder,
        pattern: Pattern | None = None,
        hindsight: Hindsight | None = None,
    ) -> None:
        self.ledger = Ledger(batch, hindsight or Hindsight())
        self._pattern = pattern
        self._todo: list[str] = []
        self._at = 0
        self._slice = FIRST_SLICE
        self._open = False
        """The last of `_todo` does not have its newline yet: a bar may be redrawn."""
        self._continued = False
        """The next line continues the last one."""
        self._alert = False
        """The current lines may tell of a crash or the plan of the run."""
        self._plain = True
        """None of the current lines is special."""
        self._recalled = False
        """The next line repeats the best round."""
        self._since = NEAR + 1
        """Lines since the last one with a place or a loss."""
        self._record: list[str] = []
        """The lines of a record in braces that has not ended."""
        self._table: PrintedTable | None = None
        self._classes: PrintedTable | None = None
        """Table of the classes of a detector, whose rows may come below the next head."""
        self._bar_head = ""
        """Newest rich bar without its metrics, which may be wrapped into the next lines."""
        self._bar_row: Groups = ()
        """Newest row that was the head of a bar."""
        self._before = ""
        self._pane: deque[str] = deque(maxlen=PANE)
        self._templates = TemplateCache(_MARKERS)
        self._bars = Bars(self._templates, self.ledger)

    @property
    def state(self) -> str:
        """Newest state of the bar that is being drawn, empty if there is none."""
        return self._bars.state

    @property
    def pending(self) -> int:
        """Characters that were pushed and not yet read."""
        return sum(len(line) + 1 for line in self._todo[self._at :])

    def push(self, text: str) -> None:
        r"""Add whole lines, ended by `\n`, `\r\n`, or a `\r` that something follows.

        Everything that was pushed before must have been read.
        """
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        if "\x1b" in text or "\b" in text:
            text = resolved(text)
        self._todo, self._at = text.split("\n"), 0
        self._open = self._todo[-1] != ""
        if not self._open:
            self._todo.pop()
        drawn = "\r" in text or "━" in text or may_have_tqdm(text)
        self._alert = self.ledger.facts.watching
        braced = "{\n" in text or (",\n" in text and "{" in text)
        self._plain = not (self._alert or drawn or braced)

    def read(self, deadline: float) -> bool:
        """Read what was pushed until the deadline; returns whether all of it was read."""
        while self._at < len(self._todo):
            begin = time.monotonic()
            lines = self._todo[self._at : self._at + self._slice]
            self._at += len(lines)
            last = self._at == len(self._todo)
            if self._pattern is not None and not self._pattern.failure:
                self._read_by_pattern(lines, self._open and last)
            else:
                self._read_lines(lines, self._open and last)
            now = time.monotonic()
            slow = now - begin > SLOW
            self._slice = max(1, self._slice // 4) if slow else min(SLICE, self._slice * 2)
            # The next slice takes about as long.
            if 2 * now - begin >= deadline and not last:
                return False
        self._todo, self._at = [], 0
        return True

    def read_open(self, text: str) -> None:
        """Take the step of a bar whose line has not ended, for a record that waits for it."""
        trainer = self.ledger.trainer
        if trainer.waiting and (bar := tqdm(text.rsplit("\r", 1)[-1])) is not None and bar.bare:
            self.ledger.add_bar(bar.step, bar.total)

    def drain_lines(self) -> list[str]:
        """Return the lines for the log pane that ended since the last call, the newest `PANE`."""
        lines = [displayed(line) for line in self._pane]
        self._pane.clear()
        return lines

    def _read_lines(self, lines: list[str], open_end: bool) -> None:
        """Read lines; consecutive ones of one shape are added to the ledger together."""
        templates, read = self._templates, self._templates.read
        match: Match = _no_match
        template: Template | None = None
        rows: list[Groups] = []
        plain = self._plain and not self._is_special("")
        if plain:
            self._pane.extend(lines)
        last = len(lines) - 1 if open_end else -1
        placed = -self._since
        for number, line in enumerate(lines):
            if not plain:
                if self._is_special(line):
                    self._flush(template, rows)
                    template, rows, match = None, [], _no_match
                    self._since = number - placed
                    self._read_special(line, number == last)
                    placed = number + 1 - self._since
                    continue
                self._pane.append(line)
            if (again := match(line)) is not None:
                placed = number
                rows.append(again.groups())
                continue
            found = read(line)
            if templates.alarming:
                self._since = number - placed
                self._flush(template, rows)
                self._unpane(len(lines) - number if plain else 1)
                self._before = lines[number - 1] if number else self._before
                self._alert = True
                self._read_lines(lines[number:], open_end)
                return
            if found is None:
                continue
            adjacent = found[0].parsed.adjacent
            if adjacent and number - placed > NEAR:
                continue
            placed = placed if adjacent else number
            if found[0].parsed.columns:
                self._since = 1
                self._flush(template, rows)
                self._begin_table(found[0].parsed.columns, line)
                if plain:
                    self._unpane(len(lines) - number - 1)
                self._read_lines(lines[number + 1 :], open_end)
                return
            self._flush(template, rows)
            template, rows = found[0], [found[1]]
            match = _no_match if template.commas or adjacent else template.match
        self._since = len(lines) - placed
        self._flush(template, rows)
        if lines:
            self._before = lines[-1]

    def _unpane(self, count: int) -> None:
        """Take back lines that went to the log pane in advance."""
        for _ in range(min(count, len(self._pane))):
            self._pane.pop()

    def _read_by_pattern(self, lines: list[str], open_end: bool) -> None:
        """Read lines by the user's pattern; those it does not match are read as usual."""
        assert self._pattern is not None
        for number, (line, found) in enumerate(zip(lines, self._pattern.find(lines), strict=True)):
            if found is None:
                self._read_lines([line], open_end and number == len(lines) - 1)
                continue
            self._pane.append(line.rsplit("\r", 1)[-1])
            self.ledger.add(found[0], [found[1]])
            self._before = line

    def _flush(self, template: Template | None, rows: list[Groups]) -> None:
        if template is not None:
            self.ledger.add(template, rows)

    def _is_special(self, line: str) -> bool:
        return (
            "\r" in line
            or self._alert
            or self._continued
            or self._recalled
            or self._table is not None
            or bool(self._bar_head or self._record)
            or (line.endswith(("{", ",")) and _OPENED.search(line) is not None)
            or self._bars.holding
            or "━" in line
            or may_have_tqdm(line)
        )

    def _read_special(self, line: str, unfinished: bool) -> None:
        """Read a line that needs more than its shape: bars, crashes, announcements."""
        frames = line.split("\r")
        if len(frames) > 1:
            # Of bars without metrics the last state is enough.
            for frame in self._bars.newest(frames[:-1]):
                self._read_frame(frame, ended=False)
        continued, self._continued = self._continued, unfinished
        if not unfinished:
            self._read_frame(frames[-1], ended=True)
            if not continued and "\r" not in line and not line.strip():
                self._pane.append(line)
            self._bars.end_line()
        self._before = line

    def _read_frame(self, frame: str, *, ended: bool) -> None:
        """Read one state of a line; `ended` if it is the one that stays."""
        if self._table is not None and "%|" in frame:
            self._read_bar_row(frame)
        rest = self._bars.read(frame, ended)
        if rest is None and frame and not frame.isspace():
            self._read_text(frame, ended)
        elif rest:
            self._read_text(rest, ended)
        elif rest == "" and ended and self._bars.is_shown(frame):
            self._pane.append(frame)

    def _read_text(self, text: str, ended: bool) -> None:
        if ended and (
            self._record or (text.rstrip().endswith(("{", ",")) and _OPENED.search(text))
        ):
            self._read_record(text)
        else:
            self._read_line(text, ended)

    def _read_record(self, text: str) -> None:
        """Read a line of a record in braces; the last one completes it."""
        held = self._record
        fits = not held or (len(held) < LONGEST_RECORD and _CONTINUED.match(text) is not None)
        held.append(text)
        if fits and (whole := " ".join(held)).count("{") > whole.count("}"):
            return
        self._record = []
        found = self._templates.read(whole) if fits else None
        if found is None or not any(_is_measured(tag) for tag, _, _ in found[0].values):
            for line in held:
                self._read_line(line, ended=True)
            return
        self._pane.extend(held)
        self._bars.settle()
        self.ledger.add(found[0], [found[1]])

    def _read_line(self, text: str, ended: bool) -> None:
        bare = without_gauge(text) if "━" in text else text
        if self._bar_head and (more := _WRAPPED.fullmatch(text)):
            bare = f"{self._bar_head} {more['value']}"
        else:
            head = _BAR_HEAD.match(bare) if ended and "━" in text and "•" in text else None
            self._bar_head = head[0] if head else ""
        found = self._table_row(bare) if ended else None
        if found is None:
            found = self._templates.read(bare)
            if found is not None and found[0].parsed.adjacent and self._since > NEAR:
                found = None
            self._alert = self._alert or self._templates.alarming
        self._bars.state = "" if ended else text
        if ended:
            self._since = 1 if found and not found[0].parsed.adjacent else self._since + 1
            self._pane.append(text)
            self._bars.settle()
            if found is not None and found[0].parsed.columns:
                self._begin_table(found[0].parsed.columns, bare)
            elif found is not None and not self._recalled:
                self.ledger.add(found[0], [found[1]])
            elif found is not None and found[0].step >= 0:
                self.ledger.facts.recall(int(found[1][found[0].step]))
            self._recalled = _RECALLS.search(text) is not None
            if self._alert:
                self.ledger.check(text, self._before)
        elif found is not None and found[0].parsed.trainer:
            self.ledger.add(found[0], [found[1]])
        elif found is not None and found[0].values:
            self._bars.redrawn(*found)

    def _begin_table(self, names: tuple[str, ...], line: str) -> None:
        if self._table is not None and self._table.names == names:
            return
        if names[0] == CLASSES:
            self._classes = PrintedTable(names, line)
        if names[0] != CLASSES or self._table is None:
            self._table = PrintedTable(names, line)
            self._table.row(line)

    def _read_bar_row(self, frame: str) -> None:
        """Read the head of a bar, which may be that of a table, or the row of a full bar."""
        assert self._table is not None
        head = frame.partition("%|")[0].rstrip("0123456789").rstrip().removesuffix(":")
        if names := columns(head):
            self._begin_table(names, head)
        elif "100%|" in frame and (row := self._table.row(head)) and row[1] != self._bar_row:
            self._bar_row = row[1]
            self.ledger.add(row[0], [row[1]])

    def _table_row(self, text: str) -> tuple[Template, Groups] | None:
        """Read a line as the row of a table, if one was begun."""
        if self._table is None:
            return None
        if self._table.over:
            self._table = None
            return None
        row, of = self._table.row(text), self._table
        if row is None and self._classes is not None:
            row, of = self._classes.row(text), self._classes
        # After a training, Ultralytics validates its best checkpoint once more.
        return None if of.names[0] == CLASSES and self.ledger.facts.finished else row
