"""Detection of JSON documents that hold the history of a training."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.records.names import are_metrics, fields, names_loss, names_metric, text_of


def claims_history(path: Path, head: bytes) -> bool:
    """Whether a JSON document is the history of a training."""
    text = text_of(head).lstrip()
    if not text.startswith(("[", "{")):
        return False
    if text.startswith("["):
        record, _, _ = text[1:].partition("}")
        if not record.lstrip().startswith("{"):
            return False
        return are_metrics(name for name, is_number, _ in fields(record) if is_number)
    listed = [name for name, _, is_list in fields(text) if is_list]
    if '"log_history"' in text or any(map(names_loss, listed)):
        return True
    return any(names_metric(name) and "lr" not in name.lower() for name in listed)


def claims_allennlp(path: Path, head: bytes) -> bool:
    """AllenNLP writes a document per epoch."""
    names = {name for name, is_number, _ in fields(text_of(head)) if is_number}
    return "epoch" in names and any(name.endswith("_loss") for name in names)
