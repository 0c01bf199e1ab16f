"""What a model wrote, in W&B's history: texts, and tables in files beside the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from lossmon.readers.files.attachments import media
from lossmon.readers.records.sample_parts import rows_of, split
from lossmon.readers.values import number
from lossmon.readers.wandb.items import TABLE, Told
from lossmon.sanitize import multiline
from lossmon.types import TextSample

LARGEST = 8 << 20
"""Bytes of a table that is read: some thousand answers. A larger one is a data set."""

_ENDING = ".table.json"


def samples(run: Path, told: Iterable[Told]) -> Iterator[TextSample]:
    """The answers in texts and tables.

    Args:
        run: Directory of the log; its media lie in `files/media`.
        told: What the history says, oldest first.
    """
    for one in told:
        try:
            text = json.loads(one.text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(text, str):
            continue
        if one.key.startswith(TABLE):
            yield from _table(run, one.key.removeprefix(TABLE), one.step, text)
        else:
            for parts in split(multiline(text)):
                yield TextSample(one.key, one.step, parts.output, parts.prompt, parts.expected)


def _table(run: Path, name: str, step: int, path: str) -> Iterator[TextSample]:
    if not path.endswith(_ENDING):
        return
    content = media(run / "files", path, LARGEST)
    if content is None:
        content = media(run, path, LARGEST)
    try:
        table = json.loads(content or b"")
    except (ValueError, RecursionError):
        return
    columns = table.get("columns") if isinstance(table, dict) else None
    rows = table.get("data") if isinstance(table, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        return
    for parts, told in rows_of(columns, rows):
        own = number(told)
        at = int(own) if own is not None and 0 <= own < 1 << 62 else step
        yield TextSample(name, at, parts.output, parts.prompt, parts.expected)
