"""Detection of databases by their tables, and of journals by their first records."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.files.sqlite import MAGIC, table_names
from lossmon.readers.records.names import first_records, text_of


def _has(path: Path, head: bytes, tables: str) -> bool:
    return head.startswith(MAGIC) and table_names(path).issuperset(tables.split())


def claims_mlflow(path: Path, head: bytes) -> bool:
    """Whether it has the tables of MLflow."""
    return _has(path, head, "runs metrics latest_metrics")


def claims_trackio(path: Path, head: bytes) -> bool:
    """Whether it has the tables of Trackio."""
    return _has(path, head, "metrics configs system_metrics")


def claims_optuna(path: Path, head: bytes) -> bool:
    """Whether it has the tables of Optuna."""
    return _has(path, head, "studies trials trial_intermediate_values")


def claims_traceml(path: Path, head: bytes) -> bool:
    """Whether it has the tables of a TraceML session."""
    return _has(path, head, "step_time_samples system_samples step_memory_samples")


def claims_manifest(path: Path, head: bytes) -> bool:
    """Whether it describes a TraceML session."""
    text = text_of(head)
    return '"session_id"' in text and '"lifecycle"' in text and '"schema_version"' in text


def claims_journal(path: Path, head: bytes) -> bool:
    """Whether every record is an operation on an Optuna study."""
    records = first_records(head)
    return bool(records) and all("op_code" in record for record in records)
