"""Columns of one tag: how much room they take."""

from __future__ import annotations

import math

import numpy as np

from lossmon.store.columns import FEW, TagColumns
from lossmon.types import Axis, Points
from tests.store.points import TRAIN
from tests.store.points import points as logged


def points(first: int, count: int, wall: float | None = None) -> Points:
    return logged("loss", range(first, first + count), order=first, wall=wall)


def room(column: TagColumns) -> int:
    base = column.values.base
    assert base is not None
    return base.nbytes // 8


def test_a_column_that_was_read_keeps_little_room_for_more() -> None:
    column = TagColumns("loss", TRAIN, Axis.STEP)
    for start in range(0, 20_000, 500):
        column.extend(points(start, 500), 0)
    before = column.values
    assert room(column) > 1.3 * column.n
    column.settle()
    column.extend(points(20_000, 1), 0)
    assert room(column) <= 1.13 * column.n
    assert np.array_equal(column.values, np.arange(20_001))
    assert np.array_equal(before, np.arange(20_000))


def test_a_short_column_keeps_its_room() -> None:
    column = TagColumns("loss", TRAIN, Axis.STEP)
    column.extend(points(0, 17), 0)
    column.extend(points(17, 1), 0)
    before = room(column)
    column.settle()
    assert room(column) == before < FEW


def test_a_log_without_times_takes_no_memory_for_them() -> None:
    column = TagColumns("loss", TRAIN, Axis.STEP)
    column.extend(points(0, 100), 0)
    assert column.walls.strides == (0,) and np.isnan(column.walls).all()
    assert len(column.walls) == 100
    column.extend(points(100, 2, wall=1e9), 0)
    assert np.isnan(column.walls[:100]).all() and column.walls[100:].tolist() == [
        1e9 + 100,
        1e9 + 101,
    ]


def test_thinning_keeps_unknown_times_unknown() -> None:
    column = TagColumns("loss", TRAIN, Axis.STEP)
    column.extend(points(0, 1000), 0)
    column.thin()
    assert len(column.walls) == column.n < 1000 and np.isnan(column.walls).all()
    column.extend(points(1000, 1, wall=5.0), 0)
    assert column.walls[-1] == 1005.0 and math.isnan(column.walls[-2])
