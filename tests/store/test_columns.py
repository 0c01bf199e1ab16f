"""Columns of one tag: how much room they take."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lossmon.store.columns import FEW, TagColumns
from lossmon.store.streams import ORDER_BITS, FileColumns
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


def file_of(*tags: str, count: int = 200, batch: int = 50) -> FileColumns:
    """Columns of a log whose records have every tag."""
    file = FileColumns(3)
    for start in range(0, count, batch):
        for tag in tags:
            file.extend(logged(tag, range(start, start + batch), order=start, wall=1e9), TRAIN, tag)
    return file


def shared(file: FileColumns, name: str) -> bool:
    one, other = (getattr(column, name) for column in file.columns.values())
    return np.shares_memory(one, other)


def test_columns_that_log_the_same_steps_share_them() -> None:
    file = file_of("loss", "lr")
    assert all(shared(file, name) for name in ("steps", "walls", "orders"))
    assert not shared(file, "values")
    for column in file.columns.values():
        assert np.array_equal(column.steps, np.arange(200))
        assert np.array_equal(column.walls, 1e9 + np.arange(200))
        assert np.array_equal(column.orders, np.arange(200) + (3 << ORDER_BITS))


def test_tags_logged_one_after_another_share_their_positions() -> None:
    file = FileColumns(3)

    def log(tag: str, start: int, order: int) -> None:
        part = logged(tag, range(start, start + 20))
        file.extend(replace(part, order=order + 2 * np.arange(20)), TRAIN, tag)

    for start in range(0, 200, 20):
        log("loss", start, 2 * start)
        log("lr", start, 2 * start + 1)
    loss, lr = file.columns.values()
    assert np.shares_memory(loss._orders.first(1), lr._orders.first(1))
    expected = 2 * np.arange(200) + (3 << ORDER_BITS)
    assert np.array_equal(loss.orders, expected) and np.array_equal(lr.orders, expected + 1)
    assert lr.points("lr", 3 << ORDER_BITS, slice(7, 9)).order.tolist() == [15, 17]
    log("lr", 200, 500)
    log("loss", 200, 600)
    assert (loss.orders[-20:] - lr.orders[-20:]).tolist() == [100] * 20
    lr.thin()
    assert (lr.orders[0], lr.orders[-1]) == (expected[0] + 1, (3 << ORDER_BITS) + 538)


def test_columns_that_part_ways_keep_what_was_theirs() -> None:
    file = file_of("loss", "lr")
    loss, lr = file.columns.values()
    before = lr.steps
    file.extend(logged("loss", [200, 201], order=200), TRAIN, "loss")
    file.extend(logged("lr", [200, 300], order=200), TRAIN, "lr")
    file.extend(logged("loss", [202], order=202), TRAIN, "loss")
    assert loss.steps[-3:].tolist() == [200, 201, 202] and lr.steps[-2:].tolist() == [200, 300]
    assert not shared(file, "steps") and np.array_equal(before, np.arange(200))


def test_a_thinned_column_leaves_the_others_as_they_are() -> None:
    file = file_of("loss", "lr")
    loss, lr = file.columns.values()
    loss.thin()
    file.extend(logged("loss", [200], order=200), TRAIN, "loss")
    file.extend(logged("lr", [200], order=200), TRAIN, "lr")
    assert loss.n < 200 and loss.steps[-1] == 200
    assert np.array_equal(lr.steps, np.arange(201)) and np.array_equal(lr.values, np.arange(201))
