"""Layout of logs with one value per record, whose name is in another column."""

from __future__ import annotations

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.axis import StepAxis
from lossmon.readers.records.columns import USEFUL_TEXTS, wall_times
from lossmon.readers.records.frame import FrameColumn, RecordFrame
from lossmon.readers.records.names import (
    SPLITS,
    STEP_NAMES,
    TAG_NAMES,
    LongColumns,
    clean_name,
    long_columns,
    words,
)
from lossmon.types import Axis, Points

LONG_FORM_TEXTS = USEFUL_TEXTS | frozenset(TAG_NAMES)
"""Names of the texts that are of use."""


class LongForm:
    """The layout of a log that holds one named value per record.

    Args:
        columns: The columns; None to find them by the names in the first record.
        axis: The axis of the file if it is known.
        step_names: Names of the step, the surest first.
    """

    def __init__(
        self,
        columns: LongColumns | None,
        axis: Axis | None = None,
        step_names: tuple[str, ...] = STEP_NAMES,
    ) -> None:
        self._columns = columns
        self._steps = StepAxis(axis or Axis.STEP, step_names)

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add each value to the series of its name."""
        columns = self._columns or long_columns([*frame.columns, *frame.texts])
        values = frame.columns.get(columns.value) if columns else None
        if columns is None or values is None:
            return
        self._columns = columns
        placed = self._steps.place(frame)
        walls, _ = wall_times(frame)
        order = batch.points.reserve_column(frame.n)
        for tag, column in self._series(frame, columns, values).items():
            rows = column.rows
            batch.points.add_points(
                Points(
                    tag, placed.steps[rows], walls[rows], column.values, order[rows], placed.axis
                )
            )

    def _series(
        self, frame: RecordFrame, columns: LongColumns, values: FrameColumn
    ) -> dict[str, FrameColumn]:
        names = dict(frame.texts.get(columns.tag, ()))
        splits = dict(frame.texts.get(columns.split, ()))
        rows: dict[str, list[int]] = {}
        for at, row in enumerate(values.rows.tolist()):
            name = names.get(row)
            if name is None:
                continue
            tag = joined(clean_name(name), clean_name(splits.get(row, "")))
            rows.setdefault(tag, []).append(at)
        return {tag: FrameColumn(values.rows[at], values.values[at]) for tag, at in rows.items()}


def joined(name: str, split: str) -> str:
    """Return the tag of a value, its split first: `train/loss`."""
    if not split or split == name:
        return name
    if words(split) & SPLITS or not words(name) & SPLITS:
        return f"{split}/{name}"
    return f"{name}/{split}"
