"""Protocol buffers' wire format, without a schema and without copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. The group types 3 and 4 are obsolete and occur in no log."""

_WIDTHS = {FIXED64: 8, FIXED32: 4}


class MalformedError(ValueError):
    """The bytes are not a protocol buffer message."""


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: Which field.
        wire: Its wire type.
        value: The number of a varint, as unsigned 64 bits; 0 for others.
        start: Where its content begins in the buffer.
        stop: Where it ends.
    """

    number: int
    wire: int
    value: int
    start: int
    stop: int


def varint(data: bytes, place: int, stop: int) -> tuple[int, int]:
    """Return the number at a place, and the place behind it.

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


def fields(data: bytes, place: int, stop: int) -> Iterator[Field]:
    """Give the fields of the message in `data[place:stop]`, in their order there.

    Raises:
        MalformedError: It is none.
    """
    while place < stop:
        key, place = varint(data, place, stop)
        wire, value, start = key & 7, 0, place
        if wire == VARINT:
            value, place = varint(data, place, stop)
        elif wire == BYTES:
            length, start = varint(data, place, stop)
            place = start + length
        elif wire in _WIDTHS:
            place += _WIDTHS[wire]
        else:
            raise MalformedError(f"wire type {wire}")
        if place > stop or key < 8:
            raise MalformedError("field beyond the end")
        yield Field(key >> 3, wire, value, start, place)


def signed(number: int) -> int:
    """The unsigned 64 bits of a varint as a signed number."""
    return number - (1 << 64) if number >> 63 else number
