"""TensorBoard event files, as PyTorch, TensorFlow, Keras, Lightning and tensorboardX write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.tensorboard.columns import ColumnDecoder
from lossmon.readers.tensorboard.crc32c import crc32c, masked
from lossmon.readers.tensorboard.event import Event, Value, event
from lossmon.readers.tensorboard.hparams import arguments, hyperparameters
from lossmon.readers.tensorboard.rows import Rows
from lossmon.readers.tensorboard.tags import Tags
from lossmon.readers.tensorboard.tensor import tensor_texts
from lossmon.readers.tensorboard.tfrecord import HEADER, Records, RecordTail
from lossmon.sanitize import multiline
from lossmon.types import Batch, Facts, Points, Restart, TextSample

_START = 1
"""Status of the session log entry with which a writer declares a restart."""

_SHORT = 512
"""Bytes of a record whose checksum is verified even if nothing is taken from it, so that a damaged
scalar is noticed; histograms and images are longer, and passed over."""

_TEXT_SUFFIX = "/text_summary"
"""What PyTorch and tensorboardX append to the tag of a text."""

_ARGUMENTS = frozenset({"args"})
"""Tag under which the Hugging Face Trainer writes its arguments as JSON."""

_MODEL = frozenset({"model_config"})
"""Tag under which it writes the model's configuration: long, and said of the model, not the run."""


class _Found:
    """What one call of `read` gathers."""

    def __init__(self, replaced: bool = False) -> None:
        self.replaced = replaced
        self.points: list[Points] = []
        self.restarts: list[Restart] = []
        self.facts: list[Facts] = []
        self.samples: list[TextSample] = []
        self.bad: list[int] = []
        """Where the records begin that were skipped."""
        self.before_zero = 0
        """Points that were left out because their step is negative."""

    def __bool__(self) -> bool:
        return bool(self.points or self.restarts or self.facts or self.samples or self.replaced)

    def notes(self) -> Iterator[str]:
        if self.bad:
            records = "1 bad record" if len(self.bad) == 1 else f"{len(self.bad):,} bad records"
            yield f"{records} skipped at byte {self.bad[0]:,}"
        if self.before_zero:
            yield f"{self.before_zero:,} points with a negative step left out"

    def batch(self, pending: int, notes: tuple[str, ...]) -> Batch:
        return Batch(
            points=tuple(self.points),
            restarts=tuple(self.restarts),
            facts=tuple(self.facts),
            samples=tuple(self.samples),
            notes=(*self.notes(), *notes),
            replaced=self.replaced,
            pending=pending,
        )


class EventReader:
    """Reads one event file. The files of a directory and its sub-runs are joined elsewhere.

    Scalars may be `simple_value`s or tensors of any numeric type. A session log START is a
    `Restart`. Texts become samples, hyperparameters and the Trainer's arguments become settings;
    everything else is passed over without being decoded.

    Attributes:
        path: The file.
        source: `tensorboard`.
    """

    source = "tensorboard"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = RecordTail(path)
        self._begin()

    def _begin(self) -> None:
        self._tags = Tags()
        self._columns = ColumnDecoder(self._tags)
        self._told_refused = False

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        found = _Found()
        while True:
            try:
                records = self._tail.take()
            except ReadError:
                if not found:
                    raise
                # What came before the damage is given first; the next call raises again.
                break
            if self._tail.replaced:
                found = _Found(replaced=True)
                self._begin()
            if records is None:
                break
            self._take(records, found)
            if time.monotonic() >= deadline:
                break
        return found.batch(self._tail.pending, self._refusals())

    def _refusals(self) -> tuple[str, ...]:
        if not self._tags.refused or self._told_refused:
            return ()
        self._told_refused = True
        return ("some tags are left out: too long, or too many",)

    def _take(self, records: Records, found: _Found) -> None:
        rows = Rows(len(records.starts))
        for row in self._columns.decode(records, rows):
            start, length = int(records.starts[row]), int(records.lengths[row])
            record = records.data[start : start + length]
            stored = int.from_bytes(records.data[start + length : start + length + 4], "little")
            order = records.offset + start
            content = self._undamaged(record, stored)
            if content is None:
                found.bad.append(order - HEADER)
            else:
                self._take_event(record, content, rows, row, order, found)
        found.points += rows.points(records.starts + records.offset, self._tags)

    def _undamaged(self, record: bytes, stored: int) -> Event | None:
        """Take a record apart; None if it is damaged. One that holds nothing for us is empty."""
        short = len(record) <= _SHORT
        if short and masked(crc32c(record)) != stored:
            return None
        try:
            content = event(record)
        except MalformedError:
            return None
        if not short and self._holds_anything(content) and masked(crc32c(record)) != stored:
            return None
        return content

    def _holds_anything(self, content: Event) -> bool:
        return content.session is not None or any(
            value.simple is not None or value.tensor is not None or value.plugin is not None
            for value in content.values
        )

    def _take_event(
        self, record: bytes, content: Event, rows: Rows, row: int, order: int, found: _Found
    ) -> None:
        if content.version and content.wall_time > 0:
            found.facts.append(Facts(started=content.wall_time))
        if content.session == _START:
            found.restarts.append(Restart(max(0, content.step), order))
        for place, value in enumerate(content.values):
            try:
                self._take_value(record, content, value, rows, row, place, found)
            except MalformedError:
                found.bad.append(order - HEADER)

    def _take_value(
        self,
        record: bytes,
        content: Event,
        value: Value,
        rows: Rows,
        row: int,
        place: int,
        found: _Found,
    ) -> None:
        plugin = self._tags.plugin(value)
        if plugin == b"text" and value.tensor is not None:
            self._take_text(record, content.step, value, found)
        elif plugin == b"hparams" and value.content is not None:
            settings = hyperparameters(record[slice(*value.content)])
            if settings:
                found.facts.append(Facts(settings=settings))
        elif (scalar := value.scalar(record)) is not None:
            if content.step < 0:
                found.before_zero += 1
            elif (tag := self._tags.number(value)) is not None:
                rows.put(row, place, tag, content.step, content.wall_time, scalar.value)

    def _take_text(self, record: bytes, step: int, value: Value, found: _Found) -> None:
        assert value.tensor is not None
        text = multiline(b"\n".join(tensor_texts(record, *value.tensor)))
        tag = multiline(value.tag[:1024]).removesuffix(_TEXT_SUFFIX)
        if tag in _ARGUMENTS and (facts := arguments(text)) is not None:
            found.facts.append(facts)
        elif tag not in _MODEL:
            # Only a log with texts waits for what knows their parts.
            from lossmon.readers.records.sample_parts import split

            found.samples += [
                TextSample(tag, max(0, step), parts.output, parts.prompt, parts.expected)
                for parts in split(text)
            ]
