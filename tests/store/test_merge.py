"""Merging the sources of one quantity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.store import RunStore
from lossmon.store.merge import (
    MOSTLY,
    MergedSeries,
    SourceSeries,
    Stamp,
    beyond,
    common_count,
    extended,
    extremes,
    lengthened,
    merge_files,
    series_of,
)
from lossmon.store.streams import Stream
from lossmon.types import Axis
from tests.store.points import EVAL, TRAIN, only, points


def merged(steps: list[int], values: list[float] | None = None) -> MergedSeries:
    """A curve without restarts; the values are the steps unless given."""
    loss = np.asarray(steps if values is None else values, np.float64)
    nothing = np.empty(0, np.int64)
    walls = np.full(len(steps), np.nan)
    return MergedSeries(
        np.asarray(steps, np.int64), loss, walls, nothing, nothing.astype(np.float64)
    )


OURS = [10, 20, 30, 40]
LOSS = [4.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("steps", "values", "shift"),
    [
        ([41, 50], [1.0, 0.5], 0),  # Follows.
        ([40, 50], [1.0, 0.5], 0),  # Overlaps in one step, where both agree.
        ([40, 50], [1.1, 0.5], None),  # Or do not.
        ([1, 9], [7.0, 6.0], 0),  # Comes before.
        ([5, 10], [7.0, 4.0], 0),
        ([5, 10], [7.0, 9.0], None),
        ([11, 21, 31, 41], LOSS, -1),  # Counts from one.
        ([9, 19, 29, 39], LOSS, 1),
        ([12, 22, 32, 42], LOSS, None),  # Neither does any shift by more than one.
        ([8, 18, 28, 38], LOSS, None),
        ([41], [1.0], -1),  # The end alone.
        ([41], [0.5], 0),  # A further point.
    ],
)
def test_two_sources_share_a_count_or_are_not_merged(
    steps: list[int], values: list[float], shift: int | None
) -> None:
    assert common_count(merged(OURS, LOSS), merged(steps, values)) == shift


def test_two_sources_agree_where_both_report_nan() -> None:
    broken = [4.0, np.nan, np.nan, np.nan]
    assert common_count(merged(OURS, broken), merged(OURS[1:], broken[1:])) == 0


def test_a_few_values_may_differ_but_not_more() -> None:
    n = 100
    ours = np.linspace(5.0, 1.0, n)
    for wrong, shift in ((round((1 - MOSTLY) * n), 0), (round((1 - MOSTLY) * n) + 1, None)):
        theirs = ours.copy()
        theirs[:wrong] = 0.0
        steps = list(range(0, 2 * n, 2))
        assert common_count(merged(steps, [*ours]), merged(steps, [*theirs])) == shift


@pytest.mark.parametrize(
    ("steps", "values", "added"),
    [
        ([40, 44], [1.0, 1.0], [44]),  # Both have step 40: another point of the same value.
        ([30, 44], [2.0, 1.0], []),  # Our last point, whose step was guessed too high.
        ([30, 45], [2.0, 1.0], [45]),  # Half of the spacing away it is a point of its own.
        ([30, 44], [2.0, 0.9], [44]),
        ([44, 50], [1.0, 0.8], [50]),
    ],
)
def test_a_copy_of_the_last_point_is_not_added(
    steps: list[int], values: list[float], added: list[int]
) -> None:
    extra = beyond(merged(OURS, LOSS), merged(steps, values))
    assert ([] if extra is None else extra.steps.tolist()) == added


def test_points_are_added_at_both_ends_in_order() -> None:
    whole = extended(merged(OURS, LOSS), merged([0, 10, 40, 50], [5.0, 4.0, 1.0, 0.5]))
    assert whole.steps.tolist() == [0, 10, 20, 30, 40, 50]
    assert whole.values.tolist() == [5.0, 4.0, 3.0, 2.0, 1.0, 0.5]
    assert extended(merged([]), merged([1])).steps.tolist() == [1]
    assert extended(merged([1]), merged([])).steps.tolist() == [1]


def test_extremes_are_the_first_of_equal_finite_values() -> None:
    found = extremes(np.array([np.nan, 2.0, 1.0, 1.0, np.inf, 2.0]), np.arange(6))
    assert (found.n_nonfinite, found.minimum, found.maximum) == (2, 1.0, 2.0)
    assert (found.min_step, found.max_step) == (2, 1)
    none = extremes(np.array([np.nan]), np.arange(1))
    assert (none.n_nonfinite, none.min_step, none.max_step) == (1, 0, 0)
    assert np.isnan((none.minimum, none.maximum)).all()


@pytest.mark.parametrize(
    ("steps", "values", "live", "ghosts"),
    [
        ([50, 60], [0.8, 0.5], [10, 20, 30, 40, 50, 60], []),
        ([30, 40, 50], [2.5, 1.5, 0.5], [10, 20, 30, 40, 50], [30, 40]),
        ([25, 50], [2.5, 0.5], [10, 20, 25, 50], [30, 40]),
    ],
)
def test_a_later_file_replaces_the_steps_that_it_repeats(
    steps: list[int], values: list[float], live: list[int], ghosts: list[int]
) -> None:
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", OURS, LOSS), TRAIN)
    store.add(1, "csv", 50, "", points("loss", steps, values, order=4), TRAIN)
    series = only(store)
    assert series.steps.tolist() == live
    assert series.values[-len(values) :].tolist() == values
    assert series.ghost_steps.tolist() == ghosts
    assert series.ghost_values.tolist() == [LOSS[OURS.index(step)] for step in ghosts]


@pytest.mark.parametrize(
    ("steps", "live", "ghosts"),
    [
        ([50, 60], [10, 20, 30, 40, 50, 60], []),
        ([30, 40, 50], [10, 20, 30, 40, 50], []),
        ([30, 50], [10, 20, 30, 50], [40]),
        ([5, 15], [5, 15], [10, 20, 30, 40]),
    ],
)
def test_evals_without_a_train_loss_are_replaced_where_a_later_file_repeats_them(
    steps: list[int], live: list[int], ghosts: list[int]
) -> None:
    store = RunStore()
    store.add(0, "hf_trainer", 50, "", points("eval_loss", OURS, LOSS), EVAL)
    store.add(1, "hf_trainer", 50, "", points("eval_loss", steps, [0.5] * len(steps)), EVAL)
    series = only(store)
    assert (series.steps.tolist(), series.ghost_steps.tolist()) == (live, ghosts)
    assert series.values[-len(steps) :].tolist() == [0.5] * len(steps)


@pytest.mark.parametrize(("explicit", "axis"), [(3, Axis.STEP), (2, Axis.ORDER)])
def test_explicit_steps_lead_from_a_quarter_of_the_numbered_lines_on(
    explicit: int, axis: Axis
) -> None:
    store = RunStore()
    store.add(0, "text", 90, "", points("loss", range(12), axis=Axis.ORDER), TRAIN)
    store.add(1, "csv", 50, "", points("loss", range(explicit)), TRAIN)
    assert only(store).axis is axis


def test_a_series_is_lengthened_only_without_a_restart() -> None:
    stream = Stream("csv", 50, "")

    def source() -> SourceSeries:
        return SourceSeries(stream, tuple(stream.by_tag()["loss"]))

    stream.add(0, points("loss", OURS, LOSS), TRAIN)
    series = series_of(merge_files(source()), source(), TRAIN, "loss")
    assert lengthened(series, source()) is None
    stream.add(0, points("loss", [50], [0.5], order=4), TRAIN)
    longer = lengthened(series, source())
    assert longer is not None and (longer.n, longer.last, longer.min_step) == (5, 0.5, 50)
    stream.add(0, points("loss", [30], [2.0], order=5), TRAIN)
    assert lengthened(longer, source()) is None


@pytest.mark.parametrize(
    ("columns", "restarts", "grew"), [((1, 2), 1, True), ((1, 2), 2, False), ((1, 3), 1, False)]
)
def test_a_stamp_grew_where_neither_files_nor_restarts_were_added(
    columns: tuple[int, ...], restarts: int, grew: bool
) -> None:
    older = Stamp((1, 2), 1, ((3, 0), (4, 0)))
    assert Stamp(columns, restarts, ((5, 0), (4, 0))).grew_from(older) is grew


FIELDS = (
    *("n", "n_nonfinite", "first_step", "last_step", "last"),
    *("minimum", "min_step", "maximum", "max_step"),
)
LOSSES = st.sampled_from([0.5, 1.0, 2.0, float("nan"), float("inf"), -1.0])
GROWTH = st.lists(
    st.tuples(st.integers(-3, 3), st.lists(LOSSES, min_size=1, max_size=4)), min_size=1, max_size=6
)


@given(GROWTH)
def test_a_series_that_grows_equals_one_that_is_read_at_once(
    growth: list[tuple[int, list[float]]],
) -> None:
    """Each piece begins some steps after, at or before the end of the piece before it."""
    bits, whole = RunStore(), RunStore()
    at = order = 0
    steps: list[int] = []
    values: list[float] = []
    for jump, piece in growth:
        begin = max(0, at + jump)
        these = list(range(begin, begin + len(piece)))
        bits.add(0, "csv", 50, "", points("loss", these, piece, order=order), TRAIN)
        only(bits)
        steps += these
        values += piece
        at, order = these[-1] + 1, order + len(piece)
    whole.add(0, "csv", 50, "", points("loss", steps, values), TRAIN)
    grown, expected = only(bits), only(whole)
    assert grown.steps.tolist() == expected.steps.tolist()
    assert grown.ghost_steps.tolist() == expected.ghost_steps.tolist()
    np.testing.assert_array_equal(grown.values, expected.values)
    for name in FIELDS:
        np.testing.assert_equal(getattr(grown, name), getattr(expected, name), name)
