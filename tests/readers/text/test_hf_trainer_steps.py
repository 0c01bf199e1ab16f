"""Steps for the HF Trainer's records, which say only an epoch."""

from __future__ import annotations

import pytest

from lossmon.readers.text.hf_trainer_interval import RecordInterval
from lossmon.readers.text.hf_trainer_steps import PlacedRecord, TrainerRecord, TrainerSteps
from lossmon.types import Axis


def record(epoch: float, *, train: bool = True) -> TrainerRecord[float]:
    return TrainerRecord(epoch, epoch, 0.0005, train)


def places(placed: list[PlacedRecord[float]]) -> list[tuple[float, int]]:
    return [(item, step) for item, step, _ in placed]


def test_the_bar_painted_after_a_record_tells_its_step() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(0, 240)
    assert steps.add(record(0.833)) == []
    assert places(steps.add_bar(5, 240)) == [(0.833, 5)]
    assert steps.total == 240


def test_a_burst_of_records_is_spread_by_epoch() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(19, 100)
    for epoch in (0.833, 1.667, 2.5, 3.333):
        assert steps.add(record(epoch)) == []
    assert places(steps.add_bar(20, 100)) == [(0.833, 5), (1.667, 10), (2.5, 15), (3.333, 20)]


def test_the_bar_of_an_evaluation_is_passed_over() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(19, 240)
    steps.add(record(3.333))
    assert steps.add_bar(3, 6) == []
    assert places(steps.add_bar(20, 240)) == [(3.333, 20)]


def test_a_record_whose_process_died_before_its_bar_is_not_lost() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(4, 240)
    steps.add(record(0.833))
    steps.add_bar(5, 240)
    steps.add(record(1.667))
    assert places(steps.add_bar(0, 240)) == [(1.667, 10)]


def test_an_announcement_makes_the_bar_unnecessary() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.announce(total=60, per_epoch=12)
    assert steps.add(record(0.417)) == [(0.417, 5, Axis.STEP)]
    assert steps.add_run([0.833, 1.25], 0.0005, True) == ([10, 15], Axis.STEP)


def test_without_either_records_are_numbered_alone_or_together() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    assert steps.add(record(0.1)) == [(0.1, 1, Axis.ORDER)]
    assert steps.add_run([0.2, 0.3], 0.05, True) == ([2, 3], Axis.ORDER)
    assert steps.add(record(0.3, train=False)) == [(0.3, 3, Axis.ORDER)]
    assert steps.add_run([0.4, 0.2], 0.05, True) is None


def hundredths(step: int, per_epoch: int) -> TrainerRecord[float]:
    return TrainerRecord(float(step), round(step / per_epoch, 2), 0.005, True)


@pytest.mark.parametrize(
    "logged",
    [[10 * n for n in range(1, 71)], [1, *(10 * n for n in range(1, 71))], list(range(1, 300))],
    ids=["every tenth", "and the first", "every one"],
)
def test_equal_intervals_show_the_steps_that_rounded_epochs_hide(logged: list[int]) -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.announce(total=1410, per_epoch=705)
    first = [step for number in logged for _, step, _ in steps.add(hundredths(number, 705))]
    assert first != logged
    assert steps.is_misplaced
    found = RecordInterval(steps.interval.steps, steps.interval.logs_first)
    again: TrainerSteps[float] = TrainerSteps(interval=found)
    again.announce(total=1410, per_epoch=705)
    placed = [step for number in logged for _, step, _ in again.add(hundredths(number, 705))]
    assert placed == logged
    last = hundredths(logged[-1], 705).epoch
    assert again.add(record(last, train=False)) == [(last, logged[-1], Axis.STEP)]


def test_unequal_intervals_leave_steps_to_their_epochs() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.announce(total=1410, per_epoch=705)
    for number in (10, 25, 30, 70, 75, 100, 110, 190, 200, 260):
        steps.add(hundredths(number, 705))
    assert not steps.is_misplaced
    assert steps.interval.steps == 0


def test_evaluations_that_outnumber_the_train_records_are_noticed() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    for epoch in (1.0, 2.0):
        assert not steps.is_sparse
        steps.add(record(epoch, train=False))
    assert steps.is_sparse
    by_epoch: TrainerSteps[float] = TrainerSteps(by_epoch=True)
    assert by_epoch.add(record(35.71)) == [(35.71, 36, Axis.EPOCH)]


def rounded(epoch: float, *, train: bool = True) -> TrainerRecord[float]:
    return TrainerRecord(epoch, epoch, 0.00005, train)


def test_an_epoch_whose_last_step_accumulates_fewer_batches_has_a_whole_number_of_steps() -> None:
    """25 batches by twos are 13 steps per epoch, the last one of one batch."""
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(0, 60)
    for epoch in (0.24, 0.96, 1.16, 3.0, 4.64):
        steps.add(rounded(epoch))
    assert places(steps.add_bar(60, 60)) == [
        (0.24, 3),
        (0.96, 12),
        (1.16, 15),
        (3.0, 39),
        (4.64, 60),
    ]


def test_a_bar_ahead_of_buffered_records_is_seen_by_their_broken_steps() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(0, 60)
    for epoch in (0.24, 0.48, 0.72):
        steps.add(rounded(epoch))
    assert places(steps.add_bar(10, 60)) == [(0.24, 3), (0.48, 6), (0.72, 9)]
    steps.add(rounded(0.8, train=False))
    assert places(steps.add_bar(11, 60)) == [(0.8, 10)]


def test_a_record_that_no_bar_follows_is_at_the_newest_one() -> None:
    steps: TrainerSteps[float] = TrainerSteps()
    steps.add_bar(1677, 1677)
    steps.add(record(3.0, train=False))
    assert places(steps.flush()) == [(3.0, 1677)]
    assert steps.flush() == []
