"""Readers for the JSON lines of frameworks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.json_lines import json_lines
from lossmon.readers.records.reader import RecordReader

_DETECTRON = ColumnRoles(steps=("iteration",), ignored=frozenset({"data_time"}))
SB3 = ColumnRoles(
    steps=("time/total_timesteps",), ignored=frozenset({"time/iterations", "time/time_elapsed"})
)
RAY = ColumnRoles(
    steps=("training_iteration",),
    ignored=frozenset({"time_this_iter_s", "time_total_s", "timesteps_since_restore"}),
)
_VERL = ColumnRoles(steps=("step", "data/training/global_step"), dropped="data/")


def _open(source: str, columns: ColumnRoles, path: Path) -> RecordReader:
    return json_lines(path, source, lambda axis: MetricColumns(axis, columns))


open_detectron2 = partial(_open, "detectron2", _DETECTRON)
open_sb3 = partial(_open, "sb3", SB3)
open_ray = partial(_open, "ray", RAY)
open_verl = partial(_open, "verl", _VERL)
