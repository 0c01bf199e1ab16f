"""Readers for ClearML's offline sessions: its metrics and its description of the task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lossmon.readers.files.json_file import parse_document
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.records.columns import USEFUL_TEXTS
from lossmon.readers.records.json_lines import JsonParser
from lossmon.readers.records.long_form import LongForm
from lossmon.readers.records.names import clean_name
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.records.sniff import LongColumns
from lossmon.readers.settings.reader import SettingsReader
from lossmon.types import Facts

SESSION = re.compile(r"offline-[0-9a-f]{8,}$")
"""Name of the directory of a session."""

_COLUMNS = LongColumns("metric", "value", "variant")


def open_metrics(path: Path) -> RecordReader:
    """Return a reader of `metrics.jsonl`."""
    parser = partial(JsonParser, USEFUL_TEXTS | {"metric", "variant"})
    return RecordReader(path, "clearml", parser, lambda axis: LongForm(_COLUMNS, axis, ("iter",)))


def open_task(path: Path) -> SettingsReader:
    """Return a reader of `task.json`."""
    return SettingsReader(path, "clearml", _facts)


def _facts(path: Path, text: str) -> Facts | None:
    """When a session ends, its directory is packed into an archive."""
    try:
        task = parse_document(text.encode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(task, dict):
        return None
    said: dict[str, object] = {}
    for section, settings_ in _mapping(task.get("hyperparams")).items():
        for name, one in _mapping(settings_).items():
            key = name if section == "General" else f"{section}/{name}"
            said[key] = _mapping(one).get("value")
    facts = facts_of({key: _counted(value) for key, value in said.items()})
    ended = path.parent.with_name(path.parent.name + ".zip").is_file()
    return Facts(
        name=clean_name(str(task.get("name") or "")) or None,
        total_steps=facts.total_steps,
        total_epochs=facts.total_epochs,
        finished=ended,
        settings=facts.settings,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _counted(value: object) -> object:
    """A number as ClearML writes it, as text, or the text."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value) else value
