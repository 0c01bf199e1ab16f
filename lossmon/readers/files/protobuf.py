"""Decoder for the wire format of protocol buffers, without a schema and without copies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. The group types 3 and 4 are obsolete and do not occur in logs."""

_WIDTHS = {FIXED64: 8, FIXED32: 4}


class MalformedError(ValueError):
    """The bytes are not a protocol buffer message."""


class ProtoField(NamedTuple):
    """A field of a message.

    Attributes:
        number: Its field number.
        wire: Its wire type.
        value: The number of a varint, as unsigned 64 bits; 0 for other wire types.
        start: Where its content begins in the buffer.
        stop: Where it ends.
    """

    number: int
    wire: int
    value: int
    start: int
    stop: int


def decode_varint(data: bytes, place: int, stop: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it.

    Raises:
        MalformedError: It does not end before `stop`, or is longer than 64 bits.
    """
    number = shift = 0
    for at in range(place, min(stop, place + 10)):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, at + 1
        shift += 7
    raise MalformedError("number without an end")


def decode_fields(data: bytes, place: int, stop: int) -> Iterator[ProtoField]:
    """Yield the fields of the message in `data[place:stop]`, in order.

    Raises:
        MalformedError: The bytes are not a message.
    """
    while place < stop:
        key, place = decode_varint(data, place, stop)
        wire, value, start = key & 7, 0, place
        if wire == VARINT:
            value, place = decode_varint(data, place, stop)
        elif wire == BYTES:
            length, start = decode_varint(data, place, stop)
            place = start + length
        elif wire in _WIDTHS:
            place += _WIDTHS[wire]
        else:
            raise MalformedError(f"wire type {wire}")
        if place > stop or key < 8:
            raise MalformedError("field beyond the end")
        yield ProtoField(key >> 3, wire, value, start, place)


def signed(number: int) -> int:
    """Return the unsigned 64 bits of a varint as a signed number."""
    return number - (1 << 64) if number >> 63 else number


def decode_timestamp(data: bytes, field: ProtoField) -> float:
    """Return a `google.protobuf.Timestamp` as seconds since the Unix epoch, NaN if it is not one.

    Raises:
        MalformedError: The bytes are not a message.
    """
    if field.wire != BYTES:
        return math.nan
    parts = {
        part.number: part.value
        for part in decode_fields(data, field.start, field.stop)
        if part.wire == VARINT
    }
    return signed(parts.get(1, 0)) + signed(parts.get(2, 0)) / 1e9
