"""Reader for free text logs: everything that a training prints."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.lines import Chunk, LineTail, decode, displayed, is_silent, resolved
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text.log import TextLog
from lossmon.readers.text.placement.hindsight import Hindsight
from lossmon.types import Batch

if TYPE_CHECKING:
    from lossmon.readers.text.user_patterns import Pattern

SILENCE = 30.0
"""Seconds without a write after which a last line without its end is read. Longer than for records,
whose syntax shows whether they are whole: `loss 0.5` may be the beginning of `loss 0.53`."""

COLUMNS_SHARE = 0.2
"""Share of the time of a call that making columns of what was read takes at most."""


class TextReader:
    """Reads a text log, a little further at each call.

    Args:
        pattern: The user's own pattern for its lines.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, pattern: Pattern | None = None) -> None:
        self.path = path
        self._pattern = pattern
        self._batch = BatchBuilder()
        self._tail = LineTail(path)
        self._hindsight = Hindsight()
        self._log = TextLog(self._batch, pattern, self._hindsight)
        self._source = "text"
        self._noted_failure = ""
        self._early = ""
        """The last line, read although it does not have its end."""
        self._guesses = True
        """No such line has grown yet: a log in which one does is not guessed at again."""

    @property
    def source(self) -> str:
        """`hf_trainer` once the HF Trainer has printed a record of its own, else `text`."""
        return self._source

    @property
    def state(self) -> str:
        """The unfinished end of the log, for the last line of the log pane.

        The newest state of a progress bar, or the beginning of a line; it is not part of the
        lines of a batch before it has ended.
        """
        line = self._tail.unfinished
        if line is not None and (text := resolved(line.text).rsplit("\r", 1)[-1].strip()):
            return displayed(text)
        return displayed(self._log.state.strip())

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        self._read(deadline - COLUMNS_SHARE * min(deadline - time.monotonic(), 1.0))
        if self._log.ledger.trainer.seen:
            self._source = "hf_trainer"
        self._batch.lines += self._log.drain_lines()
        self._batch.notes += self._tail.drain_notes()
        failure = self._pattern.failure if self._pattern is not None else ""
        if failure != self._noted_failure:
            self._noted_failure = failure
            self._batch.notes.append(failure)
        # A log that must be read again has not been read, even at its end.
        pending = self._tail.pending + self._log.pending + self._hindsight.is_pending
        return self._batch.drain(pending)

    def _read(self, deadline: float) -> None:
        while self._log.read(deadline):
            if self._hindsight.begin_again():
                self._tail = LineTail(self.path)
                self._restart()
            chunk = self._tail.read()
            if chunk is None:
                self._read_unfinished()
                break
            if self._early and not self._tail.replaced:
                chunk = self._after_early(chunk)
                if chunk is None:
                    self._guesses = False
                    self._tail = LineTail(self.path)
                    self._restart()
                    continue
            if self._tail.replaced:
                self._source, self._early = "text", ""
                self._hindsight = Hindsight()
                self._restart()
            self._log.push(_text(chunk))
            if time.monotonic() >= deadline:
                if self._log.read(deadline) and not self._tail.pending:
                    self._read_unfinished()
                break

    def _restart(self) -> None:
        self._batch.restart()
        self._log = TextLog(self._batch, self._pattern, self._hindsight)

    def _read_unfinished(self) -> None:
        """Read the line without an end, and what waits for another, after a long silence."""
        line = self._tail.unfinished
        if line is not None and _is_drawn(line.text):
            self._log.read_open(line.text)
        elif line is not None and self._guesses and not self._early and self._is_silent():
            self._early = line.text
            self._log.push(line.text + "\n")
            self._log.read(math.inf)
        if self._log.ledger.waits and self._is_silent():
            self._log.ledger.flush()

    def _is_silent(self) -> bool:
        return is_silent(self.path, SILENCE)

    def _after_early(self, chunk: Chunk) -> Chunk | None:
        """What follows the line that was read early; None if that line has grown."""
        first, end, more = chunk.data.partition(b"\n")
        if not end:
            return chunk
        if decode(first.rstrip(b"\r")) != self._early:
            self._early = ""
            return None
        self._early = ""
        return replace(chunk, data=more, offset=chunk.offset + len(first) + len(end))


def _is_drawn(text: str) -> bool:
    """Whether a text is a state of a progress bar, which by its nature does not have an end."""
    return "\r" in text or "%|" in text or "\x1b" in text or "\b" in text


_PARTS = lazy_pattern(rb"([\r\n]+)")


def _text(chunk: Chunk) -> str:
    data = chunk.data.replace(b"\0", b"") if b"\0" in chunk.data else chunk.data
    try:
        return data.decode()
    except UnicodeDecodeError:
        parts = _PARTS.split(data)
        return "".join(decode(part) for part in parts)
