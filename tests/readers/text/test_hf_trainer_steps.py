"""Steps for the HF Trainer's records, which say only an epoch."""

from __future__ import annotations

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
