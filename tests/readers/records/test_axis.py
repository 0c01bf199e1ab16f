"""Where records stand: steps that inherit, wrap, restart or are missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.records.axis import FAR, OtherAxisError, StepAxis
from lossmon.readers.records.frame import frame_of
from lossmon.types import Axis


def steps(*records: dict[str, object], axis: Axis | None = None) -> list[int]:
    return StepAxis(axis).place(frame_of(records)).steps.tolist()


def test_a_record_without_a_step_has_the_one_before() -> None:
    assert steps({"step": 5}, {"loss": 1}, {"step": 7}, {"loss": 1}) == [5, 5, 7, 7]


def test_records_before_the_first_step_stand_at_zero() -> None:
    assert steps({"loss": 1}, {"step": 7}) == [0, 7]


def test_names_are_known_in_any_case() -> None:
    assert steps({"Global Step": 5}, {"GLOBAL_STEP": 6}) == [5, 6]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "x", True])
def test_a_step_that_is_no_number_is_absent(value: object) -> None:
    assert steps({"step": 3}, {"step": value}) == [3, 3]


def test_steps_stay_in_range() -> None:
    assert steps({"step": -1}, {"step": 10**30}) == [0, int(FAR)]


def test_a_resumed_run_is_not_taken_for_the_next_epoch() -> None:
    records = [(1.0, 100), (2.0, 200), (1.5, 150), (2.0, 200)]
    assert steps(*({"epoch": e, "step": s} for e, s in records)) == [100, 200, 150, 200]


def test_two_rows_a_step_do_not_hide_the_stride() -> None:
    records = [(0, 0), (0, 0), (0, 5), (0, 5), (1, 0), (1, 0), (1, 5)]
    assert steps(*({"epoch": e, "iter": s} for e, s in records)) == [0, 0, 5, 5, 10, 10, 15]


def test_parts_of_epochs_are_no_epochs() -> None:
    place = StepAxis(Axis.ORDER).place(
        frame_of([{"epoch": 0.5, "loss": 1}, {"epoch": 1, "loss": 1}])
    )
    assert (place.axis, place.steps.tolist()) == (Axis.ORDER, [1, 2])
    with pytest.raises(OtherAxisError) as raised:
        StepAxis().place(frame_of([{"epoch": 0.5, "loss": 1}]))
    assert raised.value.axis is Axis.ORDER


def test_an_epoch_may_come_twice_after_a_restart() -> None:
    records = [{"epoch": epoch, "loss": 1.0} for epoch in (0, 1, 1, 2)]
    assert StepAxis().place(frame_of(records)).axis is Axis.EPOCH


PLACES = st.tuples(st.integers(0, 5), st.integers(0, 10**19))


@given(st.lists(PLACES, max_size=60), st.integers(0, 60))
def test_any_places_come_out_the_same_in_one_frame_or_two(
    places: list[tuple[int, int]], cut: int
) -> None:
    records: list[dict[str, object]] = [{"epoch": e, "iter": s} for e, s in places]
    axis = StepAxis()
    two = [*axis.place(frame_of(records[:cut])).steps, *axis.place(frame_of(records[cut:])).steps]
    assert two == steps(*records)
    assert all(step >= 0 for step in two)
