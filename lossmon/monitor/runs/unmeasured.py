"""Values that stand for an evaluation that was not done in rows of a log that always name it.

A script that prints `val_loss` with every step writes NaN, infinity, -1 or 0.0 until it evaluates.
Such a value beside a finite train loss says nothing of the training, and is no point of a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.types import Axis, Kind, Meaning, Points, Split

LONGEST_GAP = 10_000
"""Rows without a measured value after which the values count: an evaluation that fails each time is
reported, at the latest after so many."""

LONGEST_GAP_EPOCHS = 10
"""The same for rows that are epochs, most of which end with an evaluation."""


@dataclass(slots=True)
class _Column:
    """What is known of one tag.

    Attributes:
        measured: The newest row has a measured value.
        every: Two rows in a row were measured, or none for too long: every value counts.
        gap: Rows since the last measured one.
    """

    measured: bool = False
    every: bool = False
    gap: int = 0


class UnmeasuredValues:
    """Leaves them out of what the files of one run log."""

    def __init__(self) -> None:
        self._columns: dict[tuple[int, str], _Column] = {}
        self._trained: dict[tuple[int, Axis], int] = {}
        """Newest step of each file at which a finite train loss was logged."""

    def clear(self, number: int) -> None:
        """Forget a file that is read anew."""
        self._columns = {key: one for key, one in self._columns.items() if key[0] != number}
        self._trained = {key: one for key, one in self._trained.items() if key[0] != number}

    def without(
        self, number: int, batch: Sequence[tuple[Points, Meaning]]
    ) -> list[tuple[Points, Meaning]]:
        """Return what is left of the next points of a file, by tag.

        Args:
            number: Number of the file.
            batch: Points that were logged together, with their meanings.
        """
        kept, trained = [], _trained(batch)
        for points, what in batch:
            if what.split is Split.EVAL and what.kind in (Kind.LOSS, Kind.METRIC):
                column = self._columns.setdefault((number, points.tag), _Column())
                if not column.every:
                    before = self._trained.get((number, points.axis), -1)
                    points = _measured(column, points, what, trained, before)
            if len(points):
                kept.append((points, what))
        for points in trained:
            self._trained[number, points.axis] = int(points.steps[-1])
        return kept


def _trained(batch: Sequence[tuple[Points, Meaning]]) -> list[Points]:
    """The finite train losses of a batch, the tag with the newest one last."""
    found = []
    for points, what in batch:
        if what.kind is Kind.LOSS and what.split is Split.TRAIN:
            finite = np.isfinite(points.values)
            one = points if finite.all() else _taken(points, finite)
            if len(one):
                found.append(one)
    return sorted(found, key=lambda one: int(one.order[-1]))


def _measured(
    column: _Column, points: Points, what: Meaning, trained: Sequence[Points], before: int
) -> Points:
    """The points that were measured; all of them from where two follow each other.

    Args:
        column: What is known of the tag.
        points: Its next points.
        what: Its meaning.
        trained: The finite train losses of the same batch.
        before: The step of the newest one before them.
    """
    values = points.values
    absent = ~np.isfinite(values) | (values == -1.0)
    if what.kind is Kind.LOSS:
        absent |= values == 0.0
    beside = points.steps == before
    for one in trained:
        if one.axis is points.axis:
            last = np.searchsorted(one.order, points.order, "right") - 1
            beside |= (last >= 0) & (one.steps[last] == points.steps)
    absent &= beside
    longest = LONGEST_GAP_EPOCHS if points.axis is Axis.EPOCH else LONGEST_GAP
    every = len(values)
    for at, missing in enumerate(absent.tolist()):
        column.every = (not missing and column.measured) or column.gap > longest
        if column.every:
            every = at
            break
        column.measured, column.gap = not missing, column.gap + 1 if missing else 0
    absent[every:] = False
    return _taken(points, ~absent) if absent.any() else points


def _taken(points: Points, rows: NDArray[np.bool_]) -> Points:
    return replace(
        points,
        steps=points.steps[rows],
        wall_times=points.wall_times[rows],
        values=points.values[rows],
        order=points.order[rows],
    )
