"""Readers for the CSV tables of frameworks."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.jsonl.frameworks import RAY, SB3
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.names import clean_name, name_below, plain
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.settings.reader import SettingsReader
from lossmon.readers.settings.yaml import dotted
from lossmon.readers.tables.reader import table
from lossmon.types import Axis, Facts

_LARGEST_ARGS = 1 << 16
"""Bytes that are read of a file of settings."""

_EPOCHS = re.compile(r"^epochs:\s*(\d{1,9})\s*$", re.MULTILINE)


def planned_epochs(path: Path) -> float | None:
    """Return the planned epochs in the `args.yaml` beside a table, None if there are none."""
    try:
        with (path.parent / "args.yaml").open("rb") as file:
            text = file.read(_LARGEST_ARGS).decode(errors="replace")
    except OSError:
        return None
    match = _EPOCHS.search(text)
    return float(match[1]) if match is not None else None


class PlannedTable:
    """The layout of a table whose planned epochs are in a file beside it."""

    def __init__(self, axis: Axis | None, path: Path) -> None:
        self._metrics = MetricColumns(axis)
        self._path = path
        self._has_plan = False

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the points of every quantity, and once the plan."""
        self._metrics.add(frame, batch)
        if frame.n and not self._has_plan:
            self._has_plan = True
            epochs = planned_epochs(self._path)
            if epochs:
                batch.facts.append(Facts(total_epochs=epochs))


def _open(source: str, columns: ColumnRoles | None, path: Path) -> RecordReader:
    return table(path, source, lambda axis: MetricColumns(axis, columns))


def _open_planned(source: str, path: Path) -> RecordReader:
    return table(path, source, lambda axis: PlannedTable(axis, path))


open_lightning = partial(_open, "lightning", ColumnRoles(steps=("step",)))
open_deepspeed = partial(_open, "deepspeed", ColumnRoles(steps=("step",), axis=Axis.SAMPLES))
open_ultralytics = partial(_open_planned, "ultralytics")
open_timm = partial(_open_planned, "timm")
open_fastai = partial(_open, "fastai", None)
open_keras = partial(_open, "keras", None)
open_sb3 = partial(_open, "sb3_csv", SB3)
open_ray = partial(_open, "ray_csv", RAY)


def open_tensorboard(path: Path) -> RecordReader:
    """What TensorBoard calls `run-<run>-tag-<tag>.csv` holds the curve of one tag."""
    tag = clean_name(path.stem.rpartition("-tag-")[2])
    return _open("tensorboard_csv", ColumnRoles(steps=("step",), renamed={"value": tag}), path)


def open_dvclive(path: Path) -> RecordReader:
    """What DVCLive calls `metrics/train/loss.tsv` holds the curve of `train/loss`."""
    tag = name_below(path.with_suffix(""), "metrics")
    return _open("dvclive", ColumnRoles(steps=("step",), renamed={plain(path.stem): tag}), path)


def open_dvclive_settings(path: Path) -> SettingsReader:
    """Return a reader of the parameters that DVCLive keeps beside its metrics."""
    return SettingsReader(path, "dvclive", lambda _, text: facts_of(dotted(text)))
