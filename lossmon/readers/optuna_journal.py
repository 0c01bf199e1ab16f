"""Optuna's journal: one operation on a study a line."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from lossmon.readers.axis import as_steps
from lossmon.readers.format import Format
from lossmon.readers.frames import Column, Frame
from lossmon.readers.jsonl import RANK, JsonParser
from lossmon.readers.layout import MOST_TAGS, Found
from lossmon.readers.record_reader import RecordReader
from lossmon.readers.sniff import first_records
from lossmon.types import Axis, Facts, Floats, Points

_CREATE_STUDY, _SET_STATE, _SET_INTERMEDIATE = 0, 6, 7
_DONE = (1.0, 2.0)
"""States of a trial that has a value: complete, or pruned at its last intermediate one."""

_TRIALS = MOST_TAGS - 1


class Journal:
    """The layout of a journal.

    The objective is a series over trials, `objective`; the values that a trial reported on its
    way are a series of its own, `trial/<number>`.

    Args:
        axis: Of no use here.
    """

    def __init__(self, axis: Axis | None = None) -> None:
        del axis

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add what the next operations say."""
        operations, trials = _spread(frame, "op_code"), _spread(frame, "trial_id")
        numbers, steps = as_steps(trials), as_steps(_spread(frame, "step"))
        reported, values = _spread(frame, "intermediate_value"), _spread(frame, "values")
        present = frozenset(_column(frame, "intermediate_value").rows.tolist())
        states = _spread(frame, "state")
        series: dict[str, list[tuple[int, float, int]]] = {}
        for row in np.flatnonzero(np.isfinite(trials)).tolist():
            trial, operation = int(numbers[row]), operations[row]
            if operation == _SET_INTERMEDIATE and row in present and trial < _TRIALS:
                point = (int(steps[row]), float(reported[row]), first + row)
                series.setdefault(f"trial/{trial}", []).append(point)
            elif operation == _SET_STATE and states[row] in _DONE and not np.isnan(values[row]):
                point = (trial, float(values[row]), first + row)
                series.setdefault("objective", []).append(point)
        for tag, points in series.items():
            found.points.append(_points(tag, points))
        for row, name in frame.texts.get("study_name", ()):
            if operations[row] == _CREATE_STUDY:
                found.facts.append(Facts(name=name))


def _points(tag: str, points: list[tuple[int, float, int]]) -> Points:
    steps, values, order = zip(*points, strict=True)
    return Points(
        tag,
        np.array(steps, np.int64),
        np.full(len(points), np.nan),
        np.array(values, np.float64),
        np.array(order, np.int64),
        Axis.TRIAL if tag == "objective" else Axis.STEP,
    )


def _column(frame: Frame, name: str) -> Column:
    return frame.columns.get(name) or Column(np.empty(0, np.int64), np.empty(0, np.float64))


def _spread(frame: Frame, name: str) -> Floats:
    values = np.full(frame.n, np.nan)
    column = _column(frame, name)
    values[column.rows] = column.values
    return values


def _claims(path: Path, head: bytes) -> bool:
    records = first_records(head)
    return bool(records) and all("op_code" in record for record in records)


def _open(path: Path) -> RecordReader:
    return RecordReader(
        path, "optuna_journal", partial(JsonParser, frozenset({"study_name"})), Journal
    )


FORMATS = (
    Format(
        source="optuna_journal",
        title="Optuna journal",
        names=("*.log", "*.jsonl", "*journal*"),
        claims=_claims,
        open=_open,
        rank=RANK,
    ),
)
