"""Reader for AllenNLP's `metrics_epoch_<n>.json`: a document per epoch."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.documents.reader import DocumentReader
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import RecordFrame, frame_of
from lossmon.types import Axis, Facts

_REPEATED = frozenset(
    {"best_epoch", "peak_worker_0_memory_mb", "training_epochs", "training_start_epoch"}
)
"""What each document says of the run, and no epoch measured."""


def _extract(document: object) -> tuple[RecordFrame, tuple[Facts, ...]]:
    return frame_of([document] if isinstance(document, dict) else []), ()


def _layout(axis: Axis | None) -> MetricColumns:
    return MetricColumns(Axis.EPOCH, ColumnRoles(steps=(), ignored=_REPEATED))


def open_metrics(path: Path) -> DocumentReader:
    """Return a reader of the document of one epoch."""
    return DocumentReader(path, "allennlp", _extract, _layout)
