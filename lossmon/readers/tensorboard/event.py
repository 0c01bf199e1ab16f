"""One TensorBoard event, taken from its bytes."""

from __future__ import annotations

from dataclasses import field
from struct import unpack_from
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.protobuf import BYTES, FIXED32, FIXED64, VARINT, fields, signed
from lossmon.readers.tensorboard.tensor import Scalar, tensor_scalar


class Span(NamedTuple):
    """A stretch of the record: `record[start:stop]`."""

    start: int
    stop: int


@dataclass(slots=True)
class Value:
    """One entry of an event's summary.

    Attributes:
        tag: Its name.
        simple: Where the four bytes of its `simple_value` stand, or None.
        tensor: Its tensor, or None. Images, histograms and sounds have neither.
        plugin: Name of the plugin that shows it, None where this record does not say.
        content: The plugin's own data.
        scalar_class: The metadata says that it is a scalar, whatever the plugin.
    """

    tag: bytes = b""
    simple: int | None = None
    tensor: Span | None = None
    plugin: bytes | None = None
    content: Span | None = None
    scalar_class: bool = False

    def scalar(self, record: bytes) -> Scalar | None:
        """Its number and where that stands, None if it holds no single number."""
        if self.simple is not None:
            return Scalar(unpack_from("<f", record, self.simple)[0], "<f4", self.simple)
        return None if self.tensor is None else tensor_scalar(record, *self.tensor)


@dataclass(slots=True)
class Event:
    """One record of an event file.

    Attributes:
        wall_time: Seconds since the Unix epoch.
        step: Step, as written: may be negative.
        values: Its summary.
        session: Status of a session log entry (1 is START), or None.
        version: It is the record with which a writer begins a file.
        wall_at: Where the wall time stands in the record, None if it does not.
        step_at: Where the step stands, None if it is 0 and left out.
    """

    wall_time: float = 0.0
    step: int = 0
    values: list[Value] = field(default_factory=list)
    session: int | None = None
    version: bool = False
    wall_at: int | None = None
    step_at: Span | None = None


def event(record: bytes) -> Event:
    """Take an event apart; graphs, histograms, images and sounds are passed over unread.

    Raises:
        MalformedError: The bytes are no event.
    """
    found = Event()
    for number, wire, value, start, stop in fields(record, 0, len(record)):
        if number == 1 and wire == FIXED64:
            found.wall_time, found.wall_at = unpack_from("<d", record, start)[0], start
        elif number == 2 and wire == VARINT:
            found.step, found.step_at = signed(value), Span(start, stop)
        elif number == 3:
            found.version = True
        elif number == 5 and wire == BYTES:
            for entry in fields(record, start, stop):
                if entry.number == 1 and entry.wire == BYTES:
                    found.values.append(_value(record, entry.start, entry.stop))
        elif number == 7 and wire == BYTES:
            status = [f.value for f in fields(record, start, stop) if f.number == 1]
            found.session = status[-1] if status else 0
    return found


def _value(record: bytes, place: int, stop: int) -> Value:
    found = Value()
    for number, wire, _, start, end in fields(record, place, stop):
        if number == 1 and wire == BYTES:
            found.tag = record[start:end]
        elif number == 2 and wire == FIXED32:
            found.simple = start
        elif number == 8 and wire == BYTES:
            found.tensor = Span(start, end)
        elif number == 9 and wire == BYTES:
            _metadata(record, Span(start, end), found)
    return found


def _metadata(record: bytes, span: Span, found: Value) -> None:
    for number, wire, value, start, stop in fields(record, *span):
        if number == 4 and wire == VARINT:
            found.scalar_class = value == 1
        elif number == 1 and wire == BYTES:
            for part in fields(record, start, stop):
                if part.number == 1 and part.wire == BYTES and part.stop > part.start:
                    found.plugin = record[part.start : part.stop]
                elif part.number == 2 and part.wire == BYTES:
                    found.content = Span(part.start, part.stop)
