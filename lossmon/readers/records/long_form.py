"""Logs with one value a record, whose name stands in another column."""

from __future__ import annotations

from lossmon.readers.records.axis import StepAxis
from lossmon.readers.records.columns import MOST_TAGS, USEFUL_TEXTS, Found, wall_times
from lossmon.readers.records.frame import Column, Frame
from lossmon.readers.records.names import STEP_NAMES, clean_name
from lossmon.readers.records.sniff import (
    SPLIT_NAMES,
    TAG_NAMES,
    LongColumns,
    long_columns,
    words,
)
from lossmon.types import Axis, Points

_SPLIT_WORDS = "train training eval evaluation val valid validation test dev"
_SPLITS = frozenset(_SPLIT_WORDS.split())

LONG_FORM_TEXTS = USEFUL_TEXTS | frozenset((*TAG_NAMES, *SPLIT_NAMES))
"""Names of the texts that are of use."""


class LongForm:
    """The layout of a log that holds one named value a record.

    Args:
        columns: Which columns hold what; None where the names of the first record tell.
        axis: What the file is known to count, None at first sight.
        step_names: Names to take the step from, the surest first.
    """

    def __init__(
        self,
        columns: LongColumns | None,
        axis: Axis | None = None,
        step_names: tuple[str, ...] = STEP_NAMES,
    ) -> None:
        self._columns = columns
        self._steps = StepAxis(axis or Axis.STEP, step_names)
        self._tags: set[str] = set()

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add each value to the series of its name."""
        columns = self._columns or long_columns([*frame.columns, *frame.texts])
        values = frame.columns.get(columns.value) if columns else None
        if columns is None or values is None:
            return
        self._columns = columns
        place = self._steps.place(frame)
        walls, _ = wall_times(frame)
        for tag, column in self._series(frame, columns, values).items():
            rows = column.rows
            order = first + rows
            found.points.append(
                Points(tag, place.steps[rows], walls[rows], column.values, order, place.axis)
            )

    def _series(self, frame: Frame, columns: LongColumns, values: Column) -> dict[str, Column]:
        names = dict(frame.texts.get(columns.tag, ()))
        splits = dict(frame.texts.get(columns.split, ()))
        rows: dict[str, list[int]] = {}
        for at, row in enumerate(values.rows.tolist()):
            name = names.get(row)
            if name is None:
                continue
            tag = joined(clean_name(name), clean_name(splits.get(row, "")))
            if tag in self._tags or len(self._tags) < MOST_TAGS:
                self._tags.add(tag)
                rows.setdefault(tag, []).append(at)
        return {tag: Column(values.rows[at], values.values[at]) for tag, at in rows.items()}


def joined(name: str, split: str) -> str:
    """Return the tag of a value, its split first: `train/loss`."""
    if not split or split == name:
        return name
    if words(split) & _SPLITS or not words(name) & _SPLITS:
        return f"{split}/{name}"
    return f"{name}/{split}"
