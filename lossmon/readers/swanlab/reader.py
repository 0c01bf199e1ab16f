"""Reader for SwanLab's logs (`run-<id>.swanlab`, before 0.8 `backup.swanlab`), without SwanLab."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from struct import unpack_from

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.attachments import AttachmentQueue, read_attachment
from lossmon.readers.files.leveldb_log import LevelDbTail
from lossmon.readers.files.lines import displayed, resolved
from lossmon.readers.files.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    MalformedError,
    ProtoField,
    decode_fields,
    decode_timestamp,
    signed,
)
from lossmon.readers.files.tail import read_until
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.sample_parts import split_text
from lossmon.readers.swanlab import MAGIC
from lossmon.readers.values import counted, is_step
from lossmon.sanitize import LONGEST_TEXT, multiline, one_line
from lossmon.types import Batch, Facts, TextSample

_START, _FINISH, _SCALAR, _MEDIA, _LOG = 10, 11, 13, 14, 16
"""Numbers of the records that are read."""

_TEXT = 4
"""Media type of texts."""

_FINISHED, _CRASHED, _ABORTED = 1, 2, 3

_LONGEST_KEY = 512

_WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What JSON of an unexpected shape can raise."""


_NUMBER = rb"[\x80-\xff]{0,7}[\x00-\x7f]"

_SCALAR_RECORD = re.compile(
    rb"\x08%b\x12[\x00-\x7f](?:\x08%b)?(?:\x10%b)?" % (_NUMBER, _NUMBER, _NUMBER)
    + rb"j[\x00-\x7f]\n(?P<length>[\x00-\x7f])(?P<key>.{1,127}?)"
    + rb"(?:\x10(?P<step>%b))?\x18\x01\"[\x00-\x7f]" % _NUMBER
    + rb"\x08(?P<seconds>%b)(?:\x10(?P<nanoseconds>%b))?" % (_NUMBER, _NUMBER)
    + rb"\x2a\x09\x09(?P<value>.{8})",
    re.DOTALL,
)
"""A scalar as SwanLab writes it: nine records of ten, so one pattern matches it as a whole."""


@dataclass(frozen=True, slots=True)
class SwanlabScalar:
    """A value of a key."""

    key: str
    step: int
    wall_time: float
    value: float


@dataclass(frozen=True, slots=True)
class SwanlabLine:
    """A line of the console."""

    text: str


@dataclass(frozen=True, slots=True)
class SwanlabText:
    """A text that was logged, or the name of the media file that holds it."""

    key: str
    step: int
    text: str = ""
    file: str = ""


SwanlabItem = SwanlabScalar | SwanlabLine | SwanlabText | Facts


def decode_protobuf(record: bytes) -> Iterator[SwanlabItem]:
    """Decode a record of version 2; yields nothing for records that are not read.

    Raises:
        MalformedError: The bytes are not a record.
    """
    usual = _SCALAR_RECORD.fullmatch(record)
    if usual is not None and len(usual["key"]) == usual["length"][0]:
        yield _usual(usual)
        return
    for field in decode_fields(record, 0, len(record)):
        if field.wire != BYTES or field.number not in (_START, _FINISH, _SCALAR, _MEDIA, _LOG):
            continue
        parts = list(decode_fields(record, field.start, field.stop))
        if field.number == _SCALAR:
            yield _scalar(record, parts)
        elif field.number == _LOG:
            yield SwanlabLine(_text(record, parts, 1))
        elif field.number == _MEDIA:
            yield from _media(record, parts)
        elif field.number == _START:
            started = [decode_timestamp(record, part) for part in parts if part.number == 12]
            name = _text(record, parts, 4)[:_LONGEST_KEY]
            yield Facts(name=name or None, started=started[0] if started else None)
        else:
            yield _finish(_number(parts, 1), _text(record, parts, 2))


def decode_json(record: bytes) -> Iterator[SwanlabItem]:
    """Decode a record of version 1; yields nothing for records that are not read.

    Raises:
        MalformedError: The bytes are not a record.
    """
    try:
        loaded = json.loads(record)
        kind, content = loaded["model_type"], loaded["data"]
        if kind == "Scalar":
            metric = content["metric"]
            yield SwanlabScalar(
                str(content["key"])[:_LONGEST_KEY],
                int(content["step"]),
                _iso(metric.get("create_time")),
                float(metric["data"]),
            )
        elif kind == "Log":
            yield SwanlabLine(str(content["message"]))
        elif kind == "Media":
            for text in content["metric"]["data"]:
                if isinstance(text, str) and not content.get("buffers_name"):
                    yield SwanlabText(
                        str(content["key"])[:_LONGEST_KEY], int(content["step"]), text
                    )
        elif kind == "Experiment":
            yield Facts(name=str(content["name"])[:_LONGEST_KEY])
        elif kind == "Header":
            started = _iso(content.get("create_time"))
            yield Facts(started=None if math.isnan(started) else started)
        elif kind == "Footer":
            yield _finish(_FINISHED if content["success"] else _CRASHED, "")
    except _WRONG as error:
        raise MalformedError(str(error)) from error


def _usual(match: re.Match[bytes]) -> SwanlabScalar:
    seconds, nanoseconds = _plain(match["seconds"]), _plain(match["nanoseconds"] or b"\0")
    (value,) = unpack_from("<d", match["value"])
    key = match["key"].decode(errors="replace")
    step = _plain(match["step"] or b"\0")
    return SwanlabScalar(key, step, seconds + nanoseconds / 1e9, value)


def _plain(encoded: bytes) -> int:
    """The number of a varint of at most eight bytes."""
    number = 0
    for i, byte in enumerate(encoded):
        number |= (byte & 0x7F) << 7 * i
    return number


def _scalar(record: bytes, parts: list[ProtoField]) -> SwanlabScalar:
    value, wall_time = 0.0, math.nan
    for part in parts:
        if part.number == 4 and part.wire == BYTES:
            wall_time = decode_timestamp(record, part)
        elif part.number == 5 and part.wire == BYTES:
            for inner in decode_fields(record, part.start, part.stop):
                if inner.number == 1 and inner.wire == FIXED64:
                    value = unpack_from("<d", record, inner.start)[0]
    key = _text(record, parts, 1)[:_LONGEST_KEY]
    return SwanlabScalar(key, signed(_number(parts, 2)), wall_time, value)


def _media(record: bytes, parts: list[ProtoField]) -> Iterator[SwanlabText]:
    if _number(parts, 3) != _TEXT:
        return
    key, step = _text(record, parts, 1)[:_LONGEST_KEY], signed(_number(parts, 2))
    for part in parts:
        if part.number == 5 and part.wire == BYTES:
            for item in decode_fields(record, part.start, part.stop):
                if item.number == 1 and item.wire == BYTES:
                    inner = list(decode_fields(record, item.start, item.stop))
                    yield SwanlabText(key, step, file=_text(record, inner, 1)[:255])


def _finish(state: int, error: str) -> Facts:
    last = next((line.strip() for line in reversed(error.splitlines()) if line.strip()), "")
    reason = one_line(last, 300)
    if state == _CRASHED:
        return Facts(finished=False, failure=reason or "crashed")
    if state == _ABORTED:
        return Facts(finished=False, failure=reason or "aborted")
    return Facts(finished=True if state == _FINISHED else None)


def _text(record: bytes, parts: list[ProtoField], number: int) -> str:
    for part in parts:
        if part.number == number and part.wire == BYTES:
            return record[part.start : part.stop].decode(errors="replace")
    return ""


def _number(parts: list[ProtoField], number: int) -> int:
    return next((p.value for p in parts if p.number == number and p.wire == VARINT), 0)


def _iso(text: object) -> float:
    """A date and time in ISO 8601 as seconds since the Unix epoch, NaN if it is not one."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


_DECODERS = {1: decode_json, 2: decode_protobuf}
"""Version of a log → decoder of its records."""

_SYSTEM = "__swanlab__."
"""Prefix of the keys of hardware readings."""

_FILE_NAME = re.compile(r"[\w-]+\.txt")
"""A media file that holds a text. The log gives the name, so it is not trusted any further."""


class SwanlabReader:
    """Reads a log: scalars, hardware readings, texts, console and the end of the run.

    Hardware readings are scalars under `system/`, at the step that was logged last: their own
    steps count readings.

    Attributes:
        path: The file.
        source: `swanlab`.
    """

    source = "swanlab"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = LevelDbTail(path, MAGIC, _DECODERS)
        self._batch = BatchBuilder()
        self._reset()

    def _reset(self) -> None:
        self._texts = AttachmentQueue[SwanlabText]()
        self._step = 0
        self._malformed = 0

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call; see `Reader.read`."""
        for records in read_until(self._tail, deadline):
            if self._tail.replaced:
                self._batch.restart()
                self._reset()
            for record in records:
                self._add(record.content)
        self._batch.notes += self._tail.drain_notes()
        if self._malformed:
            self._batch.notes.append(f"{counted(self._malformed, 'malformed record')} skipped")
            self._malformed = 0
        self._batch.samples += self._samples()
        return self._batch.drain(self._tail.pending)

    def _add(self, record: bytes) -> None:
        try:
            for item in _DECODERS[self._tail.version](record):
                if isinstance(item, SwanlabScalar):
                    self._add_scalar(item)
                elif isinstance(item, SwanlabLine):
                    self._batch.lines.append(displayed(resolved(item.text)))
                elif isinstance(item, SwanlabText):
                    self._texts.add(item.key, item)
                else:
                    self._batch.facts.append(item)
        except MalformedError:
            self._malformed += 1

    def _add_scalar(self, scalar: SwanlabScalar) -> None:
        tag = one_line(scalar.key)
        if tag.startswith(_SYSTEM):
            tag = f"system/{tag.removeprefix(_SYSTEM)}"
        elif is_step(scalar.step):
            self._step = scalar.step
        self._batch.points.add(tag, self._step, scalar.wall_time, scalar.value)

    def _samples(self) -> Iterator[TextSample]:
        for logged in self._texts.drain():
            if logged.text or not logged.file:
                text: str | None = multiline(logged.text)
            else:
                text = self._attached(logged.file)
            if text is None:
                continue
            for parts in split_text(text):
                yield TextSample(
                    one_line(logged.key),
                    max(0, logged.step),
                    parts.output,
                    parts.prompt,
                    parts.expected,
                )

    def _attached(self, name: str) -> str | None:
        """The text in a media file of the run; None if there is none."""
        if not _FILE_NAME.fullmatch(name):
            return None
        folder = self.path.parent / "media" / "text"
        content = read_attachment(folder, name, 4 * LONGEST_TEXT + 4)
        return None if content is None else multiline(content)
