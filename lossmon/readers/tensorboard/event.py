"""Decoder for one event of an event file."""

from __future__ import annotations

from dataclasses import field
from struct import unpack_from
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    MalformedError,
    decode_fields,
    signed,
)
from lossmon.readers.tensorboard.tensor import TensorScalar, decode_scalar

IMAGE, HISTOGRAM = 4, 5
"""Fields of a summary value that hold an encoded image, or a histogram."""


class ByteRange(NamedTuple):
    """A range of a record: `record[start:stop]`."""

    start: int
    stop: int


@dataclass(slots=True)
class SummaryValue:
    """A value of an event's summary.

    Attributes:
        tag: Its name.
        simple: Offset of the four bytes of its `simple_value`, or None.
        tensor: Its tensor, or None. Images, histograms and sounds have neither.
        media: Field number of its image or histogram, 0 if it is neither.
        plugin: Name of the plugin that shows it, None if this record does not have it.
        content: The plugin's own data.
        scalar_class: The metadata declares it a scalar, whatever the plugin.
    """

    tag: bytes = b""
    simple: int | None = None
    tensor: ByteRange | None = None
    media: int = 0
    plugin: bytes | None = None
    content: ByteRange | None = None
    scalar_class: bool = False

    def scalar(self, record: bytes) -> TensorScalar | None:
        """Return its number and the offset of that, None if it is not a single number."""
        if self.simple is not None:
            return TensorScalar(unpack_from("<f", record, self.simple)[0], "<f4", self.simple)
        return None if self.tensor is None else decode_scalar(record, *self.tensor)


@dataclass(slots=True)
class Event:
    """A record of an event file.

    Attributes:
        wall_time: Seconds since the Unix epoch.
        step: Step as written, possibly negative.
        values: Its summary.
        session: Status of a session log entry (1 is START), or None.
        version: It is the first record of a file.
        wall_at: Offset of the wall time in the record, None if it is absent.
        step_at: Range of the step, None if it is 0 and absent.
    """

    wall_time: float = 0.0
    step: int = 0
    values: list[SummaryValue] = field(default_factory=list)
    session: int | None = None
    version: bool = False
    wall_at: int | None = None
    step_at: ByteRange | None = None


def decode_event(record: bytes) -> Event:
    """Decode an event; of graphs, histograms, images and sounds no more than their names.

    Raises:
        MalformedError: The bytes are not an event.
    """
    return _event(record, len(record))


def decode_head(head: bytes, length: int) -> Event | None:
    """Decode an event of which only the first bytes are there.

    Args:
        head: The bytes; they end within an image or a tensor.
        length: Bytes of the whole record.

    Returns:
        The event; None if it goes on behind the image, or is not one.
    """
    try:
        return _event(head, length)
    except (IndexError, MalformedError):
        return None


def _event(record: bytes, length: int) -> Event:
    found = Event()
    for number, wire, value, start, stop in decode_fields(record, 0, length):
        if number == 1 and wire == FIXED64:
            found.wall_time, found.wall_at = unpack_from("<d", record, start)[0], start
        elif number == 2 and wire == VARINT:
            found.step, found.step_at = signed(value), ByteRange(start, stop)
        elif number == 3:
            found.version = True
        elif number == 5 and wire == BYTES:
            for entry in decode_fields(record, start, stop):
                if entry.number == 1 and entry.wire == BYTES:
                    found.values.append(_value(record, entry.start, entry.stop))
        elif number == 7 and wire == BYTES:
            status = [f.value for f in decode_fields(record, start, stop) if f.number == 1]
            found.session = status[-1] if status else 0
    return found


def _value(record: bytes, place: int, stop: int) -> SummaryValue:
    found = SummaryValue()
    for number, wire, _, start, end in decode_fields(record, place, stop):
        if number == 1 and wire == BYTES:
            found.tag = record[start:end]
        elif number == 2 and wire == FIXED32:
            found.simple = start
        elif number in (IMAGE, HISTOGRAM) and wire == BYTES:
            found.media = number
        elif number == 8 and wire == BYTES:
            found.tensor = ByteRange(start, end)
        elif number == 9 and wire == BYTES:
            _metadata(record, ByteRange(start, end), found)
    return found


def _metadata(record: bytes, span: ByteRange, found: SummaryValue) -> None:
    for number, wire, value, start, stop in decode_fields(record, *span):
        if number == 4 and wire == VARINT:
            found.scalar_class = value == 1
        elif number == 1 and wire == BYTES:
            for part in decode_fields(record, start, stop):
                if part.number == 1 and part.wire == BYTES and part.stop > part.start:
                    found.plugin = record[part.start : part.stop]
                elif part.number == 2 and part.wire == BYTES:
                    found.content = ByteRange(part.start, part.stop)
