"""Decoder for hyperparameters in event files.

Settings are read with the scalars, before the first frame and by every `check`: importing
TensorBoard's messages for three fields would cost each of them 25 ms, and more from a cold disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from struct import unpack_from

from lossmon.readers.files.protobuf import BYTES, FIXED64, VARINT, ProtoField, decode_fields
from lossmon.readers.hyperparameters import LONGEST_SETTING, MOST_SETTINGS, facts_of
from lossmon.sanitize import one_line
from lossmon.types import Facts


def decode_hparams(content: bytes) -> dict[str, str]:
    """Decode the settings in the data of the hparams plugin; empty if there are none.

    Raises:
        MalformedError: The bytes are not such data.
    """
    settings: dict[str, str] = {}
    for session in _messages(content, decode_fields(content, 0, len(content)), 3):
        for entry in _messages(content, session, 1):
            key, value = "", ""
            for part in entry:
                if part.number == 1:
                    key = _text(content, part)
                elif part.number == 2 and part.wire == BYTES:
                    value = _value(content, part)
            if key and len(settings) < MOST_SETTINGS:
                settings[key] = value
    return settings


def _messages(
    data: bytes, parts: Iterator[ProtoField], number: int
) -> Iterator[Iterator[ProtoField]]:
    for part in parts:
        if part.number == number and part.wire == BYTES:
            yield decode_fields(data, part.start, part.stop)


def _value(data: bytes, span: ProtoField) -> str:
    """A `google.protobuf.Value` that is a number, a text or a Boolean."""
    for part in decode_fields(data, span.start, span.stop):
        if part.number == 2 and part.wire == FIXED64:
            return f"{unpack_from('<d', data, part.start)[0]:.15g}"
        if part.number == 3 and part.wire == BYTES:
            return _text(data, part)
        if part.number == 4 and part.wire == VARINT:
            return "true" if part.value else "false"
    return ""


def _text(data: bytes, span: ProtoField) -> str:
    text = data[span.start : span.stop].decode(errors="replace")
    return one_line(text, LONGEST_SETTING)


def arguments(text: str) -> Facts | None:
    """Return the plan and the settings in the arguments of a Hugging Face Trainer.

    None if the text is not a JSON object.
    """
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return facts_of(loaded) if isinstance(loaded, dict) else None
