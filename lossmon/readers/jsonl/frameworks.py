"""Readers for the JSON lines of frameworks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.json_lines import json_lines
from lossmon.readers.records.names import plain
from lossmon.readers.records.reader import RecordReader
from lossmon.types import Axis, Facts

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


_PROGRESS = frozenset(
    {"current_steps", "total_steps", "epoch", "percentage", "throughput", "total_tokens"}
    | {"vram_allocated", "vram_reserved", "elapsed_time", "remaining_time"}
)
"""Keys of every record, also of the one that ends the training."""

_COLUMNS = ColumnRoles(
    steps=("current_steps", "step", "global_step"),
    ignored=frozenset({"percentage", "elapsed_time"}),
)


class TrainerLog:
    """The layout of `trainer_log.jsonl`.

    The record that ends a training is at its last step and holds neither a loss nor any other
    quantity. A resumed training appends to it.
    """

    def __init__(self, axis: Axis | None = None) -> None:
        self._metrics = MetricColumns(axis, _COLUMNS)
        self._finished = False

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the points of every quantity, the plan, and whether the training has ended."""
        self._metrics.add(frame, batch)
        if not frame.n:
            return
        finished = self._ends(frame)
        if finished != self._finished:
            self._finished = finished
            batch.facts.append(Facts(finished=finished))

    def _ends(self, frame: RecordFrame) -> bool:
        """Whether the newest record ends a training."""
        last = {
            plain(name): float(column.values[-1])
            for name, column in frame.columns.items()
            if column.rows[-1] == frame.n - 1
        }
        done, total = last.get("current_steps"), last.get("total_steps")
        if done is None or total is None or set(last) - _PROGRESS:
            return False
        return done >= total > 0


def open_log(path: Path) -> RecordReader:
    """Return a reader of `trainer_log.jsonl`."""
    return json_lines(path, "llamafactory", TrainerLog)
