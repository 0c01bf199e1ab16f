"""Reader for VisualDL's records, without VisualDL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import unpack_from

from lossmon.errors import ReadError
from lossmon.readers.files.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    MalformedError,
    ProtoField,
    decode_fields,
    signed,
)
from lossmon.readers.files.tail import Tail, read_until
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.values import counted
from lossmon.readers.visualdl import HEADER, LARGEST
from lossmon.sanitize import one_line
from lossmon.types import Batch, Facts

_STEP, _TAG, _TIME, _VALUE, _SETTINGS = 1, 2, 3, 4, 13
"""Numbers of the fields that are read, in VisualDL's `Record.Value` message."""

_LONGEST = 300
"""Characters that are kept of a setting."""


class _Records:
    """Whole records of a growing file; each has its length in front and no checksum."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = Tail(path)
        self._half = b""
        self._broken = ""

    @property
    def replaced(self) -> bool:
        """The last call found that the file started over."""
        return self._tail.replaced

    @property
    def pending(self) -> int:
        """Bytes known to be unread."""
        return self._tail.pending

    def read(self) -> list[bytes] | None:
        """Return the records that were completed; None if nothing was written.

        Raises:
            ReadError: A length is corrupt, or the file may not be read.
        """
        content = self._tail.read()
        if self._tail.replaced:
            self._half, self._broken = b"", ""
        if self._broken:
            raise ReadError(self._broken)
        if not content and not self._tail.replaced:
            return None
        data, place = self._half + content, 0
        found: list[bytes] = []
        while place + HEADER <= len(data):
            length = int.from_bytes(data[place : place + HEADER], "little")
            if not 0 < length < LARGEST:
                at = self._tail.offset - len(data) + place
                self._broken = f"{self.path}: the record length at byte {at:,} is corrupt"
                break
            end = place + HEADER + length
            if end > len(data):
                break
            found.append(data[place + HEADER : end])
            place = end
        self._half = data[place:]
        return found


class VisualdlReader:
    """Reads scalars and hyperparameters; all else is skipped.

    Attributes:
        path: The file.
        source: `visualdl`.
    """

    source = "visualdl"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records = _Records(path)
        self._batch = BatchBuilder()

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        malformed = 0
        for records in read_until(self._records, deadline):
            if self._records.replaced:
                self._batch.restart()
            for record in records:
                try:
                    self._add(record)
                except MalformedError:
                    malformed += 1
        if malformed:
            self._batch.notes.append(f"{counted(malformed, 'malformed record')} skipped")
        return self._batch.drain(self._records.pending)

    def _add(self, record: bytes) -> None:
        for value in decode_fields(record, 0, len(record)):
            if value.number == 1 and value.wire == BYTES:
                self._add_value(
                    record, {one.number: one for one in decode_fields(record, *_span(value))}
                )

    def _add_value(self, record: bytes, parts: dict[int, ProtoField]) -> None:
        if _SETTINGS in parts:
            settings = dict(_settings(record, parts[_SETTINGS]))
            self._batch.facts.append(Facts(settings=settings))
        scalar, tag = parts.get(_VALUE), parts.get(_TAG)
        if scalar is None or scalar.wire != FIXED32 or tag is None:
            return
        step = signed(parts[_STEP].value) if _STEP in parts else 0
        when = parts[_TIME].value / 1000 if _TIME in parts else float("nan")
        if step >= 0:
            name = one_line(_text(record, tag), 1024)
            (number,) = unpack_from("<f", record, scalar.start)
            self._batch.points.add(name, step, when, number)


def _span(field: ProtoField) -> tuple[int, int]:
    return field.start, field.stop


def _text(record: bytes, field: ProtoField) -> str:
    return record[field.start : field.stop].decode(errors="replace")


def _settings(record: bytes, field: ProtoField) -> Iterator[tuple[str, str]]:
    for entry in decode_fields(record, *_span(field)):
        if entry.number != 1 or entry.wire != BYTES:
            continue
        name = value = ""
        for part in decode_fields(record, *_span(entry)):
            if part.number == 4:
                name = one_line(_text(record, part), _LONGEST)
            elif part.wire == VARINT:
                value = str(signed(part.value))
            elif part.wire == FIXED64:
                value = f"{unpack_from('<d', record, part.start)[0]:.15g}"
            elif part.wire == BYTES:
                value = one_line(_text(record, part), _LONGEST)
        if name:
            yield name, value
