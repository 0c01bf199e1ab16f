"""Decoder for the tensors in event files: single numbers, and strings.

TensorFlow encodes the number of a tensor in many ways: as raw bytes (`tensor_content`), or in a
list field that depends on the type, packed or not. Half precision comes as integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

from lossmon.readers.files.protobuf import (
    BYTES,
    VARINT,
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
