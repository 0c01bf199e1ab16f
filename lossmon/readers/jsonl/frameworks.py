"""Readers for the JSON lines of frameworks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from lossmon.readers.files.json_file import parse_document
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.axis import WithinEpoch, as_steps
from lossmon.readers.records.columns import USEFUL_TEXTS, ColumnRoles, MetricColumns
from lossmon.readers.records.frame import FrameColumn, RecordFrame
from lossmon.readers.records.json_records import JsonParser, json_lines
from lossmon.readers.records.long_form import LONG_FORM_TEXTS, LongForm
from lossmon.readers.records.names import LongColumns, clean_name, plain
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.settings.reader import SettingsReader
from lossmon.types import Axis, Facts, Floats, Ints, Points

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


SESSION = re.compile(r"offline-[0-9a-f]{8,}$")
"""Name of the directory of a session."""

_SCALARS = LongColumns("metric", "value", "variant")


def open_metrics(path: Path) -> RecordReader:
    """Return a reader of `metrics.jsonl`."""
    parser = partial(JsonParser, USEFUL_TEXTS | {"metric", "variant"})
    return RecordReader(path, "clearml", parser, lambda axis: LongForm(_SCALARS, axis, ("iter",)))


def open_long_form(path: Path) -> RecordReader:
    """Return a reader of JSON lines with one named value per record."""
    parser = partial(JsonParser, LONG_FORM_TEXTS)
    return RecordReader(path, "jsonl", parser, lambda axis: LongForm(None, axis))


def open_task(path: Path) -> SettingsReader:
    """Return a reader of `task.json`."""
    return SettingsReader(path, "clearml", _facts)


def _facts(path: Path, text: str) -> Facts | None:
    """When a session ends, its directory is packed into an archive."""
    try:
        task = parse_document(text.encode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(task, dict):
        return None
    said: dict[str, object] = {}
    for section, settings_ in _mapping(task.get("hyperparams")).items():
        for name, one in _mapping(settings_).items():
            key = name if section == "General" else f"{section}/{name}"
            said[key] = _mapping(one).get("value")
    facts = facts_of({key: _counted(value) for key, value in said.items()})
    ended = path.parent.with_name(path.parent.name + ".zip").is_file()
    return Facts(
        name=clean_name(str(task.get("name") or "")) or None,
        total_steps=facts.total_steps,
        total_epochs=facts.total_epochs,
        finished=ended,
        settings=facts.settings,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _counted(value: object) -> object:
    """A number as ClearML writes it, as text, or the text."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value) else value


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


def _open_scalars(within: bool, source: str, path: Path) -> RecordReader:
    parser = partial(JsonParser, USEFUL_TEXTS | {"mode"})
    return RecordReader(path, source, parser, partial(MmScalars, within))


open_mmcv = partial(_open_scalars, True, "mmcv")
open_mmengine = partial(_open_scalars, False, "mmengine")
