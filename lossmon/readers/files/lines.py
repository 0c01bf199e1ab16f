"""Lines of a growing file, and what a terminal would display of them."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.head import Encoding, encoding_of
from lossmon.readers.files.tail import Tail
from lossmon.sanitize import cells

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)|"
    r"[PX^_][^\x1b\n]{0,2048}\x1b\\|[ -/]*[0-~])"
)
_CLEARED = re.compile(r"(?<= {20})\x1b\[\d{0,3}A(?=\S)")
"""A bar that was blanked out, and a text written into the line above it."""

_BACK = re.compile("\b+")
WIDEST = 4096
"""Characters kept of a line for the screen."""


def resolved(text: str) -> str:
    r"""Remove colours and cursor movements, and let backspaces begin a new state of a line.

    Keras prints a run of backspaces before it draws its bar again, so a run becomes `\r`; so do
    the blanks with which an inner bar of tqdm removes itself.
    """
    if "\x1b" in text:
        text = _CLEARED.sub("\r", text)
        text = _ESCAPES.sub("", text)
    if "\b" in text:
        text = _BACK.sub("\r", text)
    return text


def displayed(line: str) -> str:
    """Return a line for the log pane: printable, of bounded length, without trailing blanks."""
    if len(line) > WIDEST:
        line = line[:WIDEST] + " …"
    line = line.rstrip()
    return line if line.isprintable() else cells(line.expandtabs(4))


BLOCK = 1 << 18
"""Bytes read at once: some thousand lines, parsed in about 10 ms, few enough to keep a deadline."""

LONGEST = 1 << 20
"""Bytes kept of a line. No record that holds metrics is longer; a line of 10 MB is a dumped tensor
or a file that is not text."""

_CONTROLS = lazy_pattern("[\x80-\x9f]")
_ENDS = lazy_pattern(rb"\r\n?|\n")


def is_silent(path: Path, seconds: float) -> bool:
    """Whether nothing was written to a file for that long; False if that cannot be found out."""
    try:
        return time.time() - path.stat().st_mtime > seconds
    except OSError:
        return False


class TextLine(NamedTuple):
    """One line of text, without its end and without NULs.

    Attributes:
        text: The decoded line; other control characters are still in it.
        offset: Byte at which it begins in the file.
        redrawn: It ended in a lone carriage return: a state of a progress bar that the next one
            overwrites, rather than a line that stays.
    """

    text: str
    offset: int
    redrawn: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    r"""Whole lines, many at a time.

    Attributes:
        data: The lines with their ends: `\n`, `\r\n` or `\r`. UTF-16 has become UTF-8 and byte
            order marks are gone; bytes that are not UTF-8, and NULs, are as in the file.
        offset: Byte at which they begin in the file.
        utf16: The file is UTF-16: offsets in `data` are not offsets in the file.
    """

    data: bytes
    offset: int
    utf16: bool = False

    def lines(self) -> Iterator[TextLine]:
        """Yield each line decoded, without those that a carriage return left empty."""
        text = self._plain_text()
        if text is None:
            return self._mixed_lines()
        return self._plain_lines(text)

    def __len__(self) -> int:
        return len(self.data)

    def _plain_text(self) -> str | None:
        r"""The decoded chunk if it is UTF-8 whose lines end in `\n` alone."""
        if self.utf16 or b"\r" in self.data or b"\0" in self.data:
            return None
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            return None

    def _plain_lines(self, text: str) -> Iterator[TextLine]:
        offset, make = self.offset, TextLine._make
        lines = text.split("\n")
        lines.pop()
        if text.isascii():
            for line in lines:
                yield make((line, offset, False))
                offset += len(line) + 1
            return
        for line in lines:
            yield make((line, offset, False))
            offset += len(line.encode()) + 1

    def _mixed_lines(self) -> Iterator[TextLine]:
        start, offset = 0, self.offset
        for end in _ENDS.finditer(self.data):
            line, redrawn = self.data[start : end.start()], end[0] == b"\r"
            if line or not redrawn:
                yield TextLine(decode(line), offset, redrawn)
            offset += _file_length(self.data[start : end.end()], self.utf16)
            start = end.end()


def line_count(text: bytes) -> int:
    r"""Return the number of line ends in a text: `\n`, `\r\n` or `\r`."""
    raw = np.frombuffer(text, np.uint8)
    feeds = raw == ord("\n")
    count = int(np.count_nonzero(feeds))
    if b"\r" in text:
        returns = raw == ord("\r")
        count += int(np.count_nonzero(returns) - np.count_nonzero(returns[:-1] & feeds[1:]))
    return count


def decode(line: bytes) -> str:
    """Decode the bytes of one line: UTF-8, or else Latin-1, without NULs.

    A line with some valid UTF-8 sequences and some invalid bytes is damaged UTF-8: its invalid
    bytes become U+FFFD, as do Latin-1's invisible control characters.
    """
    line = line.replace(b"\0", b"")
    try:
        return line.decode()
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
    if text.replace("\N{REPLACEMENT CHARACTER}", "").isascii():
        return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", line.decode("latin-1"))
    return text


class LineTail:
    r"""Reads each line of a growing text file once, as soon as it has ended.

    A line ends with `\n`, `\r\n`, or a lone `\r` that something follows. The encoding is UTF-8
    (with Latin-1 for lines that are not), or UTF-16, with or without a byte order mark. A line
    longer than `LONGEST` bytes is cut, with a note.

    What follows the last line end is `unfinished`: the beginning of a line, a last line that will
    never get its newline, or the newest state of a progress bar (which writes `\r` before each
    state, not after it). It is part of a chunk once it has ended.

    Attributes:
        path: The file.
        replaced: The file started over: the lines of the last chunk are its first, and all
            earlier ones are void.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.replaced = False
        self._tail = Tail(path)
        self._notes: list[str] = []
        self._queue: list[tuple[bool, Chunk]] = []
        """Chunks that are ready, each with its `replaced`."""
        self._reset()

    def _reset(self) -> None:
        self._open = b""
        """What follows the last line end, as UTF-8."""
        self._start = 0
        """Where `_open` begins in the file."""
        self._utf16: codecs.IncrementalDecoder | None = None
        self._encoding: Encoding | None = None
        """None until the first bytes decide."""
        self._skipping = False
        """The rest of an overlong line is being dropped."""

    @property
    def offset(self) -> int:
        """Bytes read so far, the unfinished line included."""
        return self._tail.offset

    @property
    def size(self) -> int:
        """Bytes in the file at the last call, 0 if it was absent."""
        return self._tail.size

    @property
    def pending(self) -> int:
        """Bytes known to be unread; above 0 the caller should read again at once."""
        return self._tail.pending + sum(len(chunk.data) for _, chunk in self._queue)

    @property
    def unfinished(self) -> TextLine | None:
        """What follows the last line end, if anything does."""
        if self._skipping:
            return None
        data, start = self._open, self._start
        if self._encoding is None:
            encoding = encoding_of(data)
            start = encoding.mark
            if encoding.wide:
                data = data[: len(data) // 2 * 2].decode(encoding.name, "replace").encode()
        text = decode(data.rstrip(b"\r"))
        return TextLine(text, start) if text else None

    def drain_notes(self) -> tuple[str, ...]:
        """Return the notes since the last call."""
        notes = tuple(self._notes)
        self._notes.clear()
        return notes

    def read(self) -> Chunk | None:
        """Return the next whole lines in one piece; None if there is nothing new.

        A chunk may be empty: bytes were read, but no line has ended.

        Raises:
            ReadError: The file may not be read, or is not a regular file.
        """
        if not self._queue:
            content = self._tail.read(BLOCK)
            replaced = self._tail.replaced
            if replaced:
                self._reset()
            if content or replaced:
                self._queue = [(replaced, chunk) for chunk in self._cut(content)]
        if not self._queue:
            self.replaced = False
            return None
        self.replaced, chunk = self._queue.pop(0)
        return chunk

    def _cut(self, content: bytes) -> list[Chunk]:
        """Separate the lines that have ended from what follows them."""
        if self._encoding is None:
            content, self._open = self._open + content, b""
            encoding = encoding_of(content)
            if not encoding.sure:
                self._open = content
                return [Chunk(b"", 0)]
            content = self._without_mark(encoding, content)
        self._open += self._utf16.decode(content).encode() if self._utf16 else content
        if self._skipping:
            self._skip()
        self._skip_nuls()
        return [*self._overlong(), self._whole()]

    def _skip_nuls(self) -> None:
        """Drop the hole with which a log begins that was truncated under its writer."""
        data = self._open
        if not data.startswith(b"\0"):
            return
        if data == bytes(len(data)):
            self._shift(len(data))
            self._start += self._tail.skip_hole()
        else:
            self._shift(len(data) - len(data.lstrip(b"\0")))

    def _without_mark(self, encoding: Encoding, head: bytes) -> bytes:
        """Settle on an encoding; return the first bytes without a byte order mark."""
        self._encoding, self._start = encoding, encoding.mark
        if encoding.wide:
            self._utf16 = codecs.getincrementaldecoder(encoding.name)("replace")
        return head[encoding.mark :]

    def _whole(self) -> Chunk:
        start, data = self._start, self._open
        cut = data.rfind(b"\n") + 1
        # A carriage return at the very end may be half of a Windows line end.
        cut = max(cut, data.rfind(b"\r", cut, max(cut, len(data) - 1)) + 1)
        return Chunk(self._shift(cut), start, self._utf16 is not None)

    def _overlong(self) -> Iterator[Chunk]:
        """Yield the beginning of a first line that is too long, and start to skip its rest.

        No other line can be too long: a block is shorter than `LONGEST`.
        """
        if len(self._open) <= LONGEST:
            return
        end = _ENDS.search(self._open)
        if end is not None and end.start() <= LONGEST:
            return
        start, cut = self._start, LONGEST
        while self._open[cut] & 0xC0 == 0x80 and cut > LONGEST - 4:
            cut -= 1
        self._notes.append(f"line at byte {start:,} is longer than {LONGEST:,} bytes: cut")
        yield Chunk(self._shift(cut) + b"\n", start, self._utf16 is not None)
        self._skipping = True
        self._skip()

    def _skip(self) -> None:
        end = _ENDS.search(self._open)
        if end is None or (end.end() == len(self._open) and end[0] == b"\r"):
            self._shift(len(self._open) - self._open.endswith(b"\r"))
        else:
            self._shift(end.end())
            self._skipping = False

    def _shift(self, count: int) -> bytes:
        shifted, self._open = self._open[:count], self._open[count:]
        self._start += _file_length(shifted, self._utf16 is not None)
        return shifted


def _file_length(data: bytes, utf16: bool) -> int:
    """Bytes that a part of the text occupies in the file."""
    return len(data.decode(errors="replace").encode("utf-16-le")) if utf16 else len(data)
