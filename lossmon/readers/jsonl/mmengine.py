"""Reader for the JSON lines of MMEngine and of its predecessor mmcv."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.axis import WithinEpoch, as_steps
from lossmon.readers.records.columns import USEFUL_TEXTS
from lossmon.readers.records.frame import FrameColumn, RecordFrame
from lossmon.readers.records.json_records import JsonParser
from lossmon.readers.records.reader import RecordReader
from lossmon.types import Axis, Floats, Ints, Points

_PLACES = frozenset({"step", "iter", "epoch"})

_EVAL_IGNORED = frozenset({"time", "data_time", "lr", "memory"})
"""What a record of an evaluation repeats, or how long it took."""


class MmScalars:
    """The layout of `scalars.json` (MMEngine) and of `*.log.json` (mmcv).

    A record of an evaluation belongs to the training step before it. MMEngine's has only a
    `step`, which counts epochs if the run does: then it is the last step of that epoch. mmcv's
    `iter` counts within the epoch.

    Args:
        within: The iteration counts within the epoch, and `mode` marks evaluations.
        axis: Unused: these files always count steps.
    """

    def __init__(self, within: bool, axis: Axis | None = None) -> None:
        self._mode = within
        self._within = WithinEpoch()
        self._last = 0
        self._ends: dict[int, int] = {}
        """Last training step of each epoch."""

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the points of training and, under `val/`, of evaluations."""
        evals = self._evals(frame)
        steps = self._steps(frame, evals)
        walls = np.full(frame.n, np.nan)
        order = batch.points.reserve_column(frame.n)
        for name, column in frame.columns.items():
            if name in _PLACES - {"epoch"}:
                continue
            for is_eval, tag in ((False, name), (True, f"val/{name}")):
                if is_eval and name in _EVAL_IGNORED | _PLACES:
                    continue
                keep = evals[column.rows] == is_eval
                rows = column.rows[keep]
                if len(rows):
                    batch.points.add_points(
                        Points(tag, steps[rows], walls[rows], column.values[keep], order[rows])
                    )

    def _evals(self, frame: RecordFrame) -> np.typing.NDArray[np.bool_]:
        evals = np.zeros(frame.n, bool)
        if self._mode:
            for row, mode in frame.texts.get("mode", ()):
                evals[row] = mode != "train"
        else:
            evals[:] = True
            evals[_column(frame, "iter").rows] = False
        return evals

    def _steps(self, frame: RecordFrame, evals: np.typing.NDArray[np.bool_]) -> Ints:
        iterations, epochs = _spread(frame, "iter"), _spread(frame, "epoch")
        trains = ~evals & np.isfinite(iterations)
        steps = np.zeros(frame.n, np.int64)
        steps[trains] = as_steps(iterations[trains])
        if self._mode:
            steps[trains] = self._within.place(steps[trains], epochs[trains])
        named, numbers = _spread(frame, "step"), as_steps(epochs).tolist()
        for row, train in enumerate(trains.tolist()):
            if train:
                self._last = self._ends[numbers[row]] = int(steps[row])
            else:
                steps[row] = self._eval_step(named[row]) if evals[row] else self._last
        return steps

    def _eval_step(self, named: float) -> int:
        if self._mode or not np.isfinite(named):
            return self._last
        step = int(as_steps(np.array([named]))[0])
        return self._ends.get(step, step)


def _column(frame: RecordFrame, name: str) -> FrameColumn:
    return frame.columns.get(name) or FrameColumn(np.empty(0, np.int64), np.empty(0, np.float64))


def _spread(frame: RecordFrame, name: str) -> Floats:
    """A column with a value for every record, NaN if it has none."""
    column = _column(frame, name)
    values = np.full(frame.n, np.nan)
    values[column.rows] = column.values
    return values


def _open(within: bool, source: str, path: Path) -> RecordReader:
    parser = partial(JsonParser, USEFUL_TEXTS | {"mode"})
    return RecordReader(path, source, parser, partial(MmScalars, within))


open_mmcv = partial(_open, True, "mmcv")
open_mmengine = partial(_open, False, "mmengine")
