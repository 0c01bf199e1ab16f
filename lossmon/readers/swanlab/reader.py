"""Reader for SwanLab's logs (`run-<id>.swanlab`, before 0.8 `backup.swanlab`), without SwanLab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lossmon.readers.files.attachments import AttachmentQueue, read_attachment
from lossmon.readers.files.leveldb_log import LevelDbTail
from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.files.tail import read_until
from lossmon.readers.files.terminal import displayed, resolved
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.sample_parts import split_text
from lossmon.readers.swanlab import MAGIC
from lossmon.readers.swanlab.records import (
    SwanlabLine,
    SwanlabScalar,
    SwanlabText,
    decode_json,
    decode_protobuf,
)
from lossmon.readers.values import counted, is_step
from lossmon.sanitize import LONGEST_TEXT, multiline, one_line
from lossmon.types import Batch, TextSample

_DECODERS = {1: decode_json, 2: decode_protobuf}
"""Version of a log → decoder of its records."""

_SYSTEM = "__swanlab__."
"""Prefix of the keys of hardware readings."""

_FILE_NAME = re.compile(r"[\w-]+\.txt")
"""A media file that holds a text. The log gives the name, so it is not trusted any further."""


class SwanlabReader:
    """Reads a log: scalars, hardware readings, texts, console and the end of the run.

    Hardware readings are scalars under `system/`, at the step that was logged last: their own
    steps count readings.

    Attributes:
        path: The file.
        source: `swanlab`.
    """

    source = "swanlab"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = LevelDbTail(path, MAGIC, _DECODERS)
        self._batch = BatchBuilder()
        self._reset()

    def _reset(self) -> None:
        self._texts = AttachmentQueue[SwanlabText]()
        self._step = 0
        self._malformed = 0

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        for records in read_until(self._tail, deadline):
            if self._tail.replaced:
                self._batch.restart()
                self._reset()
            for record in records:
                self._add(record.content)
        self._batch.notes += self._tail.drain_notes()
        if self._malformed:
            self._batch.notes.append(f"{counted(self._malformed, 'malformed record')} skipped")
            self._malformed = 0
        self._batch.samples += self._samples()
        return self._batch.drain(self._tail.pending)

    def _add(self, record: bytes) -> None:
        try:
            for item in _DECODERS[self._tail.version](record):
                if isinstance(item, SwanlabScalar):
                    self._add_scalar(item)
                elif isinstance(item, SwanlabLine):
                    self._batch.lines.append(displayed(resolved(item.text)))
                elif isinstance(item, SwanlabText):
                    self._texts.add(item.key, item)
                else:
                    self._batch.facts.append(item)
        except MalformedError:
            self._malformed += 1

    def _add_scalar(self, scalar: SwanlabScalar) -> None:
        tag = one_line(scalar.key)
        if tag.startswith(_SYSTEM):
            tag = f"system/{tag.removeprefix(_SYSTEM)}"
        elif is_step(scalar.step):
            self._step = scalar.step
        self._batch.points.add(tag, self._step, scalar.wall_time, scalar.value)

    def _samples(self) -> Iterator[TextSample]:
        for logged in self._texts.drain():
            if logged.text or not logged.file:
                text: str | None = multiline(logged.text)
            else:
                text = self._attached(logged.file)
            if text is None:
                continue
            for parts in split_text(text):
                yield TextSample(
                    one_line(logged.key),
                    max(0, logged.step),
                    parts.output,
                    parts.prompt,
                    parts.expected,
                )

    def _attached(self, name: str) -> str | None:
        """The text in a media file of the run; None if there is none."""
        if not _FILE_NAME.fullmatch(name):
            return None
        folder = self.path.parent / "media" / "text"
        content = read_attachment(folder, name, 4 * LONGEST_TEXT + 4)
        return None if content is None else multiline(content)
