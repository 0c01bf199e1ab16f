"""AllenNLP's `metrics_epoch_<n>.json`: one document an epoch."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.documents.reader import DocumentReader
from lossmon.readers.format import Format
from lossmon.readers.records.columns import Columns, MetricColumns
from lossmon.readers.records.frame import Frame, frame_of
from lossmon.readers.records.sniff import fields, text_of
from lossmon.readers.tables.reader import RANK
from lossmon.types import Axis, Facts

_REPEATED = frozenset(
    {"best_epoch", "peak_worker_0_memory_mb", "training_epochs", "training_start_epoch"}
)
"""What each document says of the run, and no epoch measured."""


def _extract(document: object) -> tuple[Frame, tuple[Facts, ...]]:
    return frame_of([document] if isinstance(document, dict) else []), ()


def _layout(axis: Axis | None) -> MetricColumns:
    return MetricColumns(Axis.EPOCH, Columns(steps=(), ignored=_REPEATED))


def _claims(path: Path, head: bytes) -> bool:
    names = {name for name, is_number, _ in fields(text_of(head)) if is_number}
    return "epoch" in names and any(name.endswith("_loss") for name in names)


def _open(path: Path) -> DocumentReader:
    return DocumentReader(path, "allennlp", _extract, _layout)


FORMATS = (
    Format(
        source="allennlp",
        title="AllenNLP metrics_epoch_*.json",
        names=("metrics_epoch_*.json",),
        claims=_claims,
        open=_open,
        rank=RANK,
    ),
)
