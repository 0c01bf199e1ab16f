"""SwanLab's logs (`run-<id>.swanlab`, before 0.8 `backup.swanlab`), read without SwanLab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lossmon.readers.files.attachments import Waiting, media
from lossmon.readers.files.leveldb_log import LogTail
from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.files.terminal import resolved, shown
from lossmon.readers.points_builder import SeriesLog
from lossmon.readers.records.sample_parts import split
from lossmon.readers.swanlab import MAGIC
from lossmon.readers.swanlab.records import Line, Scalar, Text, from_json, from_protobuf
from lossmon.sanitize import LONGEST_TEXT, multiline, one_line
from lossmon.types import Batch, Facts, TextSample

_VERSIONS = {1: from_json, 2: from_protobuf}

_SYSTEM = "__swanlab__."
"""What the keys of hardware readings begin with."""

_FILE_NAME = re.compile(r"[\w-]+\.txt")
"""A media file that holds a text. The name stands in the log, so it is not trusted further."""


class SwanlabReader:
    """Reads one log: scalars, hardware readings, texts, console and the end of the run.

    Hardware readings are scalars under `system/`, at the step that was logged last, as their own
    steps count readings.

    Attributes:
        path: The file.
        source: `swanlab`.
    """

    source = "swanlab"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = LogTail(path, MAGIC, _VERSIONS)
        self._begin()

    def _begin(self) -> None:
        self._series = SeriesLog()
        self._facts: list[Facts] = []
        self._lines: list[str] = []
        self._texts = Waiting[Text]()
        self._step = 0
        self._bad = 0

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        replaced = self._tail.feed(deadline, self._begin, self._take)
        return self._drain(replaced)

    def _drain(self, replaced: bool) -> Batch:
        notes = self._tail.drain_notes()
        if self._bad:
            notes += (f"{self._bad:,} records that are no SwanLab records skipped",)
        batch = Batch(
            points=self._series.drain(),
            facts=tuple(self._facts),
            lines=tuple(self._lines),
            samples=tuple(self._samples()),
            notes=notes,
            replaced=replaced,
            pending=self._tail.pending,
        )
        self._facts, self._lines, self._bad = [], [], 0
        return batch

    def _take(self, record: bytes) -> None:
        try:
            for said in _VERSIONS[self._tail.version](record):
                if isinstance(said, Scalar):
                    self._take_scalar(said)
                elif isinstance(said, Line):
                    self._lines.append(shown(resolved(said.text)))
                elif isinstance(said, Text):
                    self._texts.add(said.key, said)
                else:
                    self._facts.append(said)
        except MalformedError:
            self._bad += 1

    def _take_scalar(self, said: Scalar) -> None:
        tag = one_line(said.key)
        if tag.startswith(_SYSTEM):
            tag = f"system/{tag.removeprefix(_SYSTEM)}"
        elif 0 <= said.step < 1 << 62:
            self._step = said.step
        self._series.add(tag, self._step, said.wall_time, said.value)

    def _samples(self) -> Iterator[TextSample]:
        for said in self._texts.drain():
            text = multiline(said.text) if said.text or not said.file else self._media(said.file)
            if text is None:
                continue
            for parts in split(text):
                yield TextSample(
                    one_line(said.key),
                    max(0, said.step),
                    parts.output,
                    parts.prompt,
                    parts.expected,
                )

    def _media(self, name: str) -> str | None:
        """The text in a media file of the run; None where there is none."""
        if not _FILE_NAME.fullmatch(name):
            return None
        content = media(self.path.parent / "media" / "text", name, 4 * LONGEST_TEXT + 4)
        return None if content is None else multiline(content)
