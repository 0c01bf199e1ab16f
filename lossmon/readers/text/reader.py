"""Reader for free text logs: what a training prints."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.readers.files.lines import Chunk, LineTail, decode, is_silent
from lossmon.readers.files.terminal import resolved, shown
from lossmon.readers.text.log import TextLog
from lossmon.types import Batch

if TYPE_CHECKING:
    from lossmon.readers.text.user_patterns import Pattern

SILENCE = 30.0
"""Seconds without a write after which a last line without its end is read. Longer than for records,
which tell by themselves whether they are whole: `loss 0.5` may be the beginning of `loss 0.53`."""


class TextReader:
    """Reads one text log, a little further at each call.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, pattern: Pattern | None = None) -> None:
        """Start at the beginning of a log.

        Args:
            path: The file.
            pattern: The user's own pattern for its lines.
        """
        self.path = path
        self._pattern = pattern
        self._tail = LineTail(path)
        self._log = TextLog(pattern)
        self._source = "text"
        self._told = ""
        self._early = ""
        """The last line, which never got its end and was read all the same."""
        self._guesses = True
        """No such line has gone on yet: a log that does so once is not guessed at again."""

    @property
    def source(self) -> str:
        """`hf_trainer` once the HF Trainer has printed a record of its own here, else `text`."""
        return self._source

    @property
    def state(self) -> str:
        """What stands unfinished at the end of the log, for the last line of the log pane.

        The newest state of a progress bar, or the beginning of a line; it is not part of the
        lines of a batch before it has ended.
        """
        rest = self._tail.rest
        if rest is not None and (text := resolved(rest.text).rsplit("\r", 1)[-1].strip()):
            return shown(text)
        return shown(self._log.state.strip())

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        replaced = self._work(deadline)
        ledger = self._log.ledger
        if ledger.trainer:
            self._source = "hf_trainer"
        return Batch(
            ledger.columns.take(),
            facts=ledger.take_facts(),
            lines=self._log.take_lines(),
            notes=self._notes(),
            replaced=replaced,
            pending=self._tail.pending + self._log.pending,
        )

    def _notes(self) -> tuple[str, ...]:
        failure = self._pattern.failure if self._pattern is not None else ""
        told, self._told = self._told, failure
        said, self._log.ledger.notes = tuple(self._log.ledger.notes), []
        return self._tail.drain_notes() + said + ((failure,) if failure and failure != told else ())

    def _work(self, deadline: float) -> bool:
        replaced = False
        while self._log.work(deadline):
            chunk = self._tail.chunk()
            if chunk is None:
                self._take_rest()
                break
            if self._early and not self._tail.replaced:
                chunk = self._after_early(chunk)
                if chunk is None:
                    self._guesses, replaced = False, True
                    self._tail = LineTail(self.path)
                    self._log = TextLog(self._pattern, self._log.ledger.order)
                    continue
            if self._tail.replaced:
                # What was found in this very call is void, too.
                replaced, self._source, self._early = True, "text", ""
                self._log = TextLog(self._pattern, self._log.ledger.order)
            self._log.push(_text(chunk))
            if time.monotonic() >= deadline:
                self._log.work(deadline)
                break
        return replaced

    def _take_rest(self) -> None:
        """Read the line at the end that has no end, if nothing has been written for long."""
        rest = self._tail.rest
        if rest is None or self._early or not self._guesses or _is_painted(rest.text):
            return
        if is_silent(self.path, SILENCE):
            self._early = rest.text
            self._log.push(rest.text + "\n")
            self._log.work(math.inf)

    def _after_early(self, chunk: Chunk) -> Chunk | None:
        """What is new behind the line that was read early; None where that line went on."""
        first, end, more = chunk.data.partition(b"\n")
        if not end:
            return chunk
        if decode(first.rstrip(b"\r")) != self._early:
            self._early = ""
            return None
        self._early = ""
        return replace(chunk, data=more, offset=chunk.offset + len(first) + len(end))


def _is_painted(text: str) -> bool:
    """Whether a text is a state of a progress bar, which stands without an end by its nature."""
    return "\r" in text or "%|" in text or "\x1b" in text or "\b" in text


_PARTS = re.compile(rb"([\r\n]+)")


def _text(chunk: Chunk) -> str:
    data = chunk.data.replace(b"\0", b"") if b"\0" in chunk.data else chunk.data
    try:
        return data.decode()
    except UnicodeDecodeError:
        parts = _PARTS.split(data)
        return "".join(decode(part) for part in parts)
