"""What event files say about a run in words: hyperparameters, arguments, texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from struct import unpack_from

from lossmon.readers.protobuf import BYTES, FIXED64, VARINT, Field, fields
from lossmon.types import Facts

LONGEST_TEXT = 1 << 16
"""Characters that are kept of one text: some twenty screens."""

_SETTINGS = 500
"""Settings that are kept of one source; a Trainer writes about 130."""

_LONGEST_SETTING = 300
"""Characters that are kept of one setting."""

_DEPTH = 4
"""Levels of nested settings that are followed."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: bytes) -> str:
    """A text from a log: decoded, cut at `LONGEST_TEXT`, without control characters."""
    decoded = text[: 4 * LONGEST_TEXT].decode(errors="replace")[:LONGEST_TEXT]
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", decoded.replace("\r\n", "\n"))


def hyperparameters(content: bytes) -> dict[str, str]:
    """The settings in the data of the hparams plugin; empty where it holds none.

    Raises:
        MalformedError: The bytes are no such data.
    """
    settings: dict[str, str] = {}
    for session in _messages(content, fields(content, 0, len(content)), 3):
        for entry in _messages(content, session, 1):
            key, value = "", ""
            for part in entry:
                if part.number == 1:
                    key = _one_line(content[part.start : part.stop].decode(errors="replace"))
                elif part.number == 2 and part.wire == BYTES:
                    value = _value(content, part)
            if key and len(settings) < _SETTINGS:
                settings[key] = value
    return settings


def _messages(data: bytes, parts: Iterator[Field], number: int) -> Iterator[Iterator[Field]]:
    for part in parts:
        if part.number == number and part.wire == BYTES:
            yield fields(data, part.start, part.stop)


def _value(data: bytes, span: Field) -> str:
    """A `google.protobuf.Value` that is a number, a text or a truth value."""
    for part in fields(data, span.start, span.stop):
        if part.number == 2 and part.wire == FIXED64:
            return f"{unpack_from('<d', data, part.start)[0]:.15g}"
        if part.number == 3 and part.wire == BYTES:
            return _one_line(data[part.start : part.stop].decode(errors="replace"))
        if part.number == 4 and part.wire == VARINT:
            return "true" if part.value else "false"
    return ""


def arguments(text: str) -> Facts | None:
    """What a Hugging Face Trainer's arguments say: the plan and the settings.

    Returns None where the text is no JSON object.
    """
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(loaded, dict):
        return None
    steps, epochs = loaded.get("max_steps"), loaded.get("num_train_epochs")
    planned = isinstance(steps, int) and not isinstance(steps, bool) and 0 < steps < 1 << 62
    by_epochs = isinstance(epochs, int | float) and not planned and 0 < epochs < 1e9
    return Facts(
        total_steps=steps if planned else None,
        total_epochs=float(str(epochs)) if by_epochs else None,
        settings=dict(_flat(loaded)),
    )


def _flat(
    settings: Mapping[str, object], prefix: str = "", depth: int = 0
) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in settings.items():
        if len(flat) >= _SETTINGS:
            break
        if isinstance(value, dict):
            if depth < _DEPTH:
                flat += _flat(value, f"{prefix}{name}.", depth + 1)
        elif value is not None:
            word = value if isinstance(value, str) else json.dumps(value)
            flat.append((_one_line(prefix + name), _one_line(word)))
    return flat[:_SETTINGS]


def _one_line(text: str) -> str:
    shown = text[:_LONGEST_SETTING]
    return "".join(letter if letter.isprintable() else " " for letter in shown)
