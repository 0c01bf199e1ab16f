"""Decoder for one event of an event file."""

from __future__ import annotations

from collections.abc import Iterator
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
    ProtoField,
    decode_fields,
    decode_varint,
    signed,
)

_STRING = 7
_BFLOAT16 = 14
_HALF = 19
_CONTENT = 4


class TensorScalar(NamedTuple):
    """A number and its offset.

    Attributes:
        value: The number; 32-bit floats exactly as written.
        dtype: NumPy's name of its encoding if that has a fixed width, else empty.
        at: Offset of its bytes, -1 if they do not have a fixed width.
    """

    value: float
    dtype: str = ""
    at: int = -1


class _Kind(NamedTuple):
    """Encoding of a type: its list field, the bytes of an element, their NumPy type."""

    field: int
    width: int
    dtype: str
    fixed: bool = False
    """Elements of the list field are raw bytes too, not varints."""


_KINDS = {
    1: _Kind(5, 4, "<f4", True),
    2: _Kind(6, 8, "<f8", True),
    3: _Kind(7, 4, "<i4"),
    4: _Kind(7, 1, "u1"),
    5: _Kind(7, 2, "<i2"),
    6: _Kind(7, 1, "i1"),
    9: _Kind(10, 8, "<i8"),
    10: _Kind(11, 1, "u1"),
    _BFLOAT16: _Kind(13, 2, ""),
    17: _Kind(7, 2, "<u2"),
    _HALF: _Kind(13, 2, "<f2"),
    22: _Kind(16, 4, "<u4"),
    23: _Kind(17, 8, "<u8"),
}
"""By number of the type in TensorFlow's `types.proto`: float, double, int32, uint8, int16, int8,
int64, bool, bfloat16, uint16, half, uint32, uint64."""

_CODES = {
    **{"<f4": "<f", "<f8": "<d", "<i4": "<i", "u1": "<B", "<i2": "<h", "i1": "<b"},
    **{"<i8": "<q", "<u2": "<H", "<f2": "<e", "<u4": "<I", "<u8": "<Q"},
}
"""The same encodings for `struct`."""


def decode_scalar(record: bytes, start: int, stop: int) -> TensorScalar | None:
    """Decode the number in a tensor of one numeric element, None for every other tensor.

    Raises:
        MalformedError: The bytes are not a tensor.
    """
    parts = list(decode_fields(record, start, stop))
    kind = _KINDS.get(_dtype(parts))
    if kind is None or _elements(record, parts) != 1:
        return None
    for part in reversed(parts):
        if part.number == _CONTENT and part.wire == BYTES and part.stop > part.start:
            return _raw(record, part, kind, _dtype(parts))
        if part.number == kind.field:
            return _listed(record, part, kind, _dtype(parts))
    # An absent element is zero.
    return TensorScalar(0.0)


def decode_texts(record: bytes, start: int, stop: int) -> Iterator[bytes]:
    """Yield the strings in a tensor of strings, none for every other tensor.

    Raises:
        MalformedError: The bytes are not a tensor.
    """
    parts = list(decode_fields(record, start, stop))
    if _dtype(parts) == _STRING:
        for part in parts:
            if part.number == 8 and part.wire == BYTES:
                yield record[part.start : part.stop]


def _dtype(parts: list[ProtoField]) -> int:
    return next((part.value for part in reversed(parts) if part.number == 1), 0)


def _elements(record: bytes, parts: list[ProtoField]) -> int:
    """Number of elements according to the shape."""
    product = 1
    for shape in parts:
        if shape.number != 2 or shape.wire != BYTES:
            continue
        for dimension in decode_fields(record, shape.start, shape.stop):
            if dimension.number == 2 and dimension.wire == BYTES:
                sizes = decode_fields(record, dimension.start, dimension.stop)
                product *= signed(next((size.value for size in sizes if size.number == 1), 0))
    return product


def _raw(record: bytes, part: ProtoField, kind: _Kind, dtype: int) -> TensorScalar | None:
    if part.stop - part.start != kind.width:
        return None
    if dtype == _BFLOAT16:
        return TensorScalar(_bfloat16(unpack_from("<H", record, part.start)[0]))
    value = unpack_from(_CODES[kind.dtype], record, part.start)[0]
    return TensorScalar(float(value), kind.dtype, part.start)


def _listed(record: bytes, part: ProtoField, kind: _Kind, dtype: int) -> TensorScalar | None:
    if kind.fixed:
        return _raw(record, part, kind, dtype)
    number = part.value
    if part.wire == BYTES:
        number, end = decode_varint(record, part.start, part.stop)
        if end != part.stop:
            return None
    elif part.wire != VARINT:
        return None
    if dtype == _BFLOAT16:
        return TensorScalar(_bfloat16(number))
    if dtype == _HALF:
        return TensorScalar(unpack_from("<e", (number & 0xFFFF).to_bytes(2, "little"))[0])
    return TensorScalar(float(number if kind.dtype == "<u8" else signed(number)))


def _bfloat16(bits: int) -> float:
    """The upper half of a 32-bit float."""
    value: float = unpack_from("<f", ((bits & 0xFFFF) << 16).to_bytes(4, "little"))[0]
    return value


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
