"""Text samples in W&B's history: texts, and tables in files beside the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from lossmon.readers.files.attachments import read_attachment
from lossmon.readers.records.sample_parts import rows_of, split_text
from lossmon.readers.values import is_step, number
from lossmon.readers.wandb.items import TABLE, LoggedText
from lossmon.sanitize import multiline
from lossmon.types import TextSample

LARGEST = 8 << 20
"""Bytes of the largest table that is read: some thousand answers. A larger one is a data set."""

_ENDING = ".table.json"


def samples(run: Path, texts: Iterable[LoggedText]) -> Iterator[TextSample]:
    """Yield the model outputs in texts and tables.

    Args:
        run: Directory of the log; its media are in `files/media`.
        texts: Texts of the history, oldest first.
    """
    for one in texts:
        try:
            text = json.loads(one.text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(text, str):
            continue
        if one.key.startswith(TABLE):
            yield from _table(run, one.key.removeprefix(TABLE), one.step, text)
        else:
            for parts in split_text(multiline(text)):
                yield TextSample(one.key, one.step, parts.output, parts.prompt, parts.expected)


def table_of(content: bytes) -> tuple[list[object], list[object]]:
    """Names of the columns and rows of a table's file; both empty where it is not one."""
    try:
        table = json.loads(content)
    except (ValueError, RecursionError):
        return [], []
    columns = table.get("columns") if isinstance(table, dict) else None
    rows = table.get("data") if isinstance(table, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        return [], []
    return columns, rows


def _table(run: Path, name: str, step: int, path: str) -> Iterator[TextSample]:
    if not path.endswith(_ENDING):
        return
    content = read_attachment(run / "files", path, LARGEST)
    if content is None:
        content = read_attachment(run, path, LARGEST)
    for parts, named in rows_of(*table_of(content or b"")):
        own = number(named)
        at = int(own) if own is not None and is_step(own) else step
        yield TextSample(name, at, parts.output, parts.prompt, parts.expected)
