from __future__ import annotations

import random

import pytest

from lossmon.readers.tags.meaning import meaning
from lossmon.store import RunStore
from lossmon.types import Axis, Series
from tests.store.points import points

BOX, CLS, DFL = [3.0, 2.0, 1.5], [1.0, 0.5, 0.25], [0.5, 0.25, 0.125]


def add(store: RunStore, tag: str, steps: list[int], values: list[float], order: int = 0) -> None:
    axis = Axis.EPOCH
    given = points(tag, steps, values, order=order, axis=axis)
    store.add(0, "csv", 50, "", given, meaning(tag, source="csv"))


def headline(store: RunStore, split: str = "train") -> Series:
    index = store.headline_indices()[("train", "eval").index(split)]
    assert index is not None
    return store.series()[index]


def detector(store: RunStore, *, prefix: str = "train/") -> None:
    for name, values in (("box_loss", BOX), ("cls_loss", CLS), ("dfl_loss", DFL)):
        add(store, prefix + name, [1, 2, 3], values)


def test_a_detector_that_logs_no_total_is_headed_by_the_sum_of_its_parts() -> None:
    store = RunStore()
    detector(store)
    detector(store, prefix="val/")
    train, held_out = headline(store), headline(store, "eval")
    assert (train.tag, held_out.tag) == ("train/loss (sum)", "val/loss (sum)")
    assert train.values.tolist() == [4.5, 2.75, 1.875]
    assert train.meaning.sum_of == ("train/box_loss", "train/cls_loss", "train/dfl_loss")
    assert [series.tag for series in store.series()][:2] == [train.tag, held_out.tag]


@pytest.mark.parametrize("total", ["train/loss", "total_loss"])
@pytest.mark.parametrize("first", [True, False])
def test_a_total_that_is_logged_is_the_loss(total: str, first: bool) -> None:
    store = RunStore()
    if first:
        add(store, total, [1, 2, 3], [9.0, 8.0, 7.0])
    detector(store)
    if not first:
        add(store, total, [1, 2, 3], [9.0, 8.0, 7.0])
    assert headline(store).tag == total
    assert not any(series.meaning.sum_of for series in store.series())


@pytest.mark.parametrize(
    "names",
    [
        ("loss_G", "loss_D"),
        ("policy_loss", "value_loss", "entropy_loss"),
        ("recon_loss", "kl_loss"),
        ("box_loss", "dfl_loss"),
        ("box_loss",),
        ("eval_easy_loss", "eval_hard_loss"),
    ],
)
def test_only_the_parts_of_a_detector_are_summed(names: tuple[str, ...]) -> None:
    store = RunStore()
    for name in names:
        add(store, name, [1, 2, 3], BOX)
    assert not any(series.meaning.sum_of for series in store.series())


def test_a_row_counts_once_every_part_of_it_is_there() -> None:
    store = RunStore()
    detector(store)
    add(store, "train/box_loss", [4], [1.0], order=3)
    add(store, "train/cls_loss", [4], [1.0], order=3)
    assert headline(store).n == 3
    add(store, "train/dfl_loss", [4], [1.0], order=3)
    assert headline(store).values.tolist() == [4.5, 2.75, 1.875, 3.0]


def test_a_row_that_lacks_a_part_is_left_out() -> None:
    store = RunStore()
    add(store, "box_loss", [1, 2, 3], BOX)
    add(store, "cls_loss", [1, 3], [1.0, 0.25])
    assert headline(store).steps.tolist() == [1, 3]


def test_a_part_that_turns_up_later_makes_another_sum() -> None:
    store = RunStore()
    add(store, "train/box_loss", [1, 2, 3], BOX)
    add(store, "train/cls_loss", [1, 2, 3], CLS)
    before = store.headlines().train
    add(store, "train/dfl_loss", [1, 2, 3], DFL)
    assert headline(store).values.tolist() == [4.5, 2.75, 1.875]
    assert store.headlines().train != before


def test_a_resumed_run_sums_what_it_logs_again() -> None:
    store = RunStore()
    detector(store)
    for tag in ("train/box_loss", "train/cls_loss", "train/dfl_loss"):
        add(store, tag, [2, 3], [1.0, 1.0], order=3)
    series = headline(store)
    assert series.steps.tolist() == [1, 2, 3]
    assert series.values.tolist() == [4.5, 3.0, 3.0]
    assert series.ghost_steps.tolist() == [2, 3]


def test_the_sum_does_not_depend_on_how_the_points_come() -> None:
    chance = random.Random(7)
    for _ in range(20):
        store = RunStore()
        left = {"box_loss": list(BOX), "cls_loss": list(CLS), "dfl_loss": list(DFL)}
        while any(left.values()):
            tag = chance.choice([tag for tag, rest in left.items() if rest])
            count = chance.randint(1, len(left[tag]))
            first = 4 - len(left[tag])
            values, left[tag] = left[tag][:count], left[tag][count:]
            add(store, tag, list(range(first, first + count)), values, order=first)
        assert headline(store).values.tolist() == [4.5, 2.75, 1.875]


def test_parts_that_never_meet_are_not_kept_waiting() -> None:
    store = RunStore()
    for step in range(0, 10_000, 1000):
        steps = list(range(step, step + 1000))
        add(store, "train/box_loss", steps, [1.0] * 1000, order=step)
    add(store, "train/cls_loss", [1], [1.0])
    assert not any(series.meaning.sum_of for series in store.series())
