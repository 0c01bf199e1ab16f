"""Reader for event files, as PyTorch, TensorFlow, Keras, Lightning and tensorboardX write them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.files.tail import read_until
from lossmon.readers.hyperparameters import LONGEST_SETTING, MOST_SETTINGS, facts_of
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.tensorboard.columns import ColumnDecoder
from lossmon.readers.tensorboard.event import (
    HISTOGRAM,
    IMAGE,
    Event,
    SummaryValue,
    decode_event,
    decode_head,
    decode_texts,
)
from lossmon.readers.tensorboard.rows import LONGEST_TAG, EventRows, EventTags
from lossmon.readers.tensorboard.tfrecord import (
    FOOTER,
    HEADER,
    RecordChunk,
    RecordTail,
    crc32c,
    masked,
)
from lossmon.readers.values import counted
from lossmon.regular_file import open_regular
from lossmon.sanitize import multiline, one_line
from lossmon.types import Batch, Facts, LoggedMedia, MediaKind, MediaRecord, Restart, TextSample

_START = 1
"""Status of a session log entry that declares a restart."""

_SHORT = 512
"""Bytes of the longest record whose checksum is verified although nothing is taken from it: a
damaged scalar must be noticed, while histograms and images are longer and verified when they are
looked at."""

_TEXT_SUFFIX = "/text_summary"
"""Suffix that PyTorch and tensorboardX add to the tag of a text."""

_ARGUMENTS = frozenset({"args"})
"""Tag of the arguments of the Hugging Face Trainer, as JSON."""

_MODEL = frozenset({"model_config"})
"""Tag of its model configuration: long, and about the model rather than the run."""


class EventReader:
    """Reads an event file. The files of a directory and its sub-runs are joined elsewhere.

    Scalars may be `simple_value`s or tensors of any numeric type. A session log START is a
    `Restart`. Texts become samples, hyperparameters and the Trainer's arguments become settings.
    Of histograms, PR curves and images only the place is noted; `load_media` decodes those that
    are looked at. Everything else is skipped.

    Attributes:
        path: The file.
        source: `tensorboard`.
    """

    source = "tensorboard"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = RecordTail(path)
        self._batch = BatchBuilder()
        self._reset()

    def _reset(self) -> None:
        self._tags = EventTags()
        self._columns = ColumnDecoder(self._tags)
        self._has_noted_refused = False
        self._bad: list[int] = []
        """Offsets of the records that were skipped."""
        self._rows = 0
        """Rows of the records so far: the position of the next one."""
        self._negative = 0
        """Points that were skipped because their step is negative."""
        self._overlong: list[tuple[int, int]] = []
        """Offset and length of long records that were not looked at yet."""

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        for chunk in read_until(self._tail, deadline):
            if self._tail.replaced:
                self._batch.restart()
                self._reset()
            self._add(chunk)
            self._overlong += chunk.overlong
        if self._overlong:
            self._overlong = [one for one in self._overlong if not self._add_overlong(*one)]
        self._batch.notes += self._notes()
        return self._batch.drain(self._tail.pending)

    def _notes(self) -> Iterator[str]:
        if self._bad:
            yield f"{counted(len(self._bad), 'bad record')} skipped at byte {self._bad[0]:,}"
            self._bad = []
        if self._negative:
            yield f"{counted(self._negative, 'point')} with a negative step skipped"
            self._negative = 0
        if self._tags.refused and not self._has_noted_refused:
            self._has_noted_refused = True
            yield "some tags are skipped: too long, or too many"

    def _add(self, chunk: RecordChunk) -> None:
        rows = EventRows(len(chunk), self._rows)
        for row in self._columns.decode(chunk, rows):
            start, length = int(chunk.starts[row]), int(chunk.lengths[row])
            record = chunk.data[start : start + length]
            stored = int.from_bytes(chunk.data[start + length : start + length + 4], "little")
            offset = chunk.offset + start
            event = self._decode(record, stored)
            if event is None:
                self._bad.append(offset - HEADER)
            else:
                self._add_event(record, event, rows, row, offset)
        self._rows = rows.end
        for points in rows.points(self._tags):
            self._batch.points.add_points(points)

    def _decode(self, record: bytes, stored: int) -> Event | None:
        """Decode a record; None if it is damaged. One without anything of use is empty."""
        short = len(record) <= _SHORT
        if short and masked(crc32c(record)) != stored:
            return None
        try:
            event = decode_event(record)
        except MalformedError:
            return None
        if not short and _is_useful(event) and masked(crc32c(record)) != stored:
            return None
        return event

    def _add_event(
        self, record: bytes, event: Event, rows: EventRows, row: int, offset: int
    ) -> None:
        if event.version and event.wall_time > 0:
            self._batch.facts.append(Facts(started=event.wall_time))
        if event.session == _START:
            self._batch.restarts.append(Restart(max(0, event.step), rows.position(row)))
        for value in event.values:
            try:
                self._add_value(record, event, value, rows, row, offset)
            except MalformedError:
                self._bad.append(offset - HEADER)

    def _add_value(
        self,
        record: bytes,
        event: Event,
        value: SummaryValue,
        rows: EventRows,
        row: int,
        offset: int,
    ) -> None:
        plugin = self._tags.plugin(value)
        kind = kind_of(value, plugin)
        if kind is not None:
            self._add_media(kind, event, value, offset, len(record))
        elif plugin == b"text" and value.tensor is not None:
            self._add_text(record, event.step, value)
        elif plugin == b"hparams" and value.content is not None:
            settings = decode_hparams(record[slice(*value.content)])
            if settings:
                self._batch.facts.append(Facts(settings=settings))
        elif (scalar := value.scalar(record)) is not None:
            if event.step < 0:
                self._negative += 1
            elif (tag := self._tags.number(value)) is not None:
                rows.put(row, tag, event.step, event.wall_time, scalar.value)

    def _add_media(
        self, kind: MediaKind, event: Event, value: SummaryValue, offset: int, length: int
    ) -> None:
        if event.step < 0 or len(value.tag) > LONGEST_TAG:
            return
        tag = one_line(value.tag.decode(errors="replace"))
        record = MediaRecord(event.step, event.wall_time, self.path, offset, length)
        self._batch.media.append(LoggedMedia(kind, tag, record))

    def _add_overlong(self, offset: int, length: int) -> bool:
        """Note what a long record holds; False while it is not written completely."""
        head = read_head(self.path, offset, length)
        if head is None:
            return False
        event = decode_head(head, length)
        for value in event.values if event is not None else ():
            kind = kind_of(value, self._tags.plugin(value))
            if event is not None and kind is not None:
                self._add_media(kind, event, value, offset, length)
        return True

    def _add_text(self, record: bytes, step: int, value: SummaryValue) -> None:
        assert value.tensor is not None
        text = multiline(b"\n".join(decode_texts(record, *value.tensor)))
        tag = multiline(value.tag[:1024]).removesuffix(_TEXT_SUFFIX)
        if tag in _ARGUMENTS and (facts := arguments(text)) is not None:
            self._batch.facts.append(facts)
        elif tag not in _MODEL:
            # Only logs with texts need the import.
            from lossmon.readers.records.sample_parts import split_text

            self._batch.samples += (
                TextSample(tag, max(0, step), parts.output, parts.prompt, parts.expected)
                for parts in split_text(text)
            )


def _is_useful(event: Event) -> bool:
    return event.session is not None or any(
        value.simple is not None or value.tensor is not None or value.plugin is not None
        for value in event.values
    )


_FIELDS = {IMAGE: MediaKind.IMAGE, HISTOGRAM: MediaKind.HISTOGRAM}

_PLUGINS = {
    b"histograms": MediaKind.HISTOGRAM,
    b"images": MediaKind.IMAGE,
    b"pr_curves": MediaKind.PR_CURVE,
}
"""By plugin; TensorFlow 2 writes all of them as tensors."""

_HEAD = 4096
"""Bytes of a long record that are read: its step and its tag are at the start."""


def kind_of(value: SummaryValue, plugin: bytes | None) -> MediaKind | None:
    """Return what a summary value is, None if it is neither histogram, PR curve nor image.

    Args:
        plugin: Plugin of its tag, None where unknown.
    """
    if value.media:
        return _FIELDS[value.media]
    return None if value.tensor is None or plugin is None else _PLUGINS.get(plugin)


def read_head(path: Path, offset: int, length: int) -> bytes | None:
    """Return the first bytes of a record; None while it is not written completely.

    Args:
        length: Bytes of the payload.
    """
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size < offset + length + FOOTER:
                return None
            return os.pread(file.fileno(), min(_HEAD, length), offset)
    except OSError:
        return None


def decode_hparams(content: bytes) -> dict[str, str]:
    """Decode the settings in the data of the hparams plugin; empty if there are none.

    Raises:
        MalformedError: The bytes are not such data.
    """
    # Only runs with hyperparameters need the import of TensorBoard's messages.
    from google.protobuf.message import DecodeError
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    try:
        found = HParamsPluginData.FromString(content).session_start_info.hparams
    except DecodeError as error:
        raise MalformedError(str(error)) from error
    return {
        one_line(name, LONGEST_SETTING): _text(found[name])
        for name in islice(sorted(found), MOST_SETTINGS)
    }


def _text(value: Any) -> str:
    """A `google.protobuf.Value` that is a number, a text or a Boolean."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return f"{value.number_value:.15g}"
    if kind == "string_value":
        return one_line(value.string_value, LONGEST_SETTING)
    return str(value.bool_value).lower() if kind == "bool_value" else ""


def arguments(text: str) -> Facts | None:
    """Return the plan and the settings in the arguments of a Hugging Face Trainer.

    None if the text is not a JSON object.
    """
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return facts_of(loaded) if isinstance(loaded, dict) else None
