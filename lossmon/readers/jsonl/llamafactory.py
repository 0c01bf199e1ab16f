"""Reader for LLaMA-Factory's `trainer_log.jsonl`."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.json_lines import json_lines
from lossmon.readers.records.names import plain
from lossmon.readers.records.reader import RecordReader
from lossmon.types import Axis, Facts

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
