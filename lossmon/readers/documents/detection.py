"""Detection of JSON documents that hold the history of a training."""

from __future__ import annotations

from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.records.names import (
    are_metrics,
    fields,
    names_loss,
    names_metric,
    names_place,
    text_of,
)

_INNER_RECORD = lazy_pattern(r'"[^"]{1,100}"\s*:\s*\[\s*\{([^][]*?)\}')
"""The first record of a list in a document."""

_NUMBERED_RECORD = lazy_pattern(
    r'\{\s*"(?:epoch|step|iter(?:ation)?)?[ _-]?\d{1,12}"\s*:\s*\{([^][]*?)\}'
)
"""The first record of a document whose names are epochs or steps."""


def claims_history(path: Path, head: bytes) -> bool:
    """Whether a JSON document is the history of a training."""
    text = text_of(head).lstrip()
    if not text.startswith(("[", "{")):
        return False
    if text.startswith("["):
        record, _, _ = text[1:].partition("}")
        if not record.lstrip().startswith("{"):
            return False
        return are_metrics(_numbers(record))
    numbered = _NUMBERED_RECORD.match(text)
    if numbered is not None and are_metrics(_numbers(numbered[1])):
        return True
    for record in _INNER_RECORD.findall(text):
        names = _numbers(record)
        if are_metrics(names) and any(map(names_place, names)):
            return True
    listed = [name for name, _, is_list in fields(text) if is_list]
    if '"log_history"' in text or any(map(names_loss, listed)):
        return True
    return any(names_metric(name) and "lr" not in name.lower() for name in listed)


def _numbers(record: str) -> list[str]:
    return [name for name, is_number, _ in fields(record) if is_number]


def claims_allennlp(path: Path, head: bytes) -> bool:
    """AllenNLP writes a document per epoch."""
    names = _numbers(text_of(head))
    return "epoch" in names and any(name.endswith("_loss") for name in names)
