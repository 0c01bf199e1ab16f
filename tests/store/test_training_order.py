from __future__ import annotations

import numpy as np
import pytest

from lossmon.store import RunStore, training_order
from lossmon.store.training_order import RestartMarker, TrainingOrder
from tests.store.points import EVAL, RATE, TRAIN, points


class Feed:
    """Records what a diagnosis would be fed."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.fed: list[tuple[str, int] | str] = []
        self.order = TrainingOrder()

    def update(self, store: RunStore) -> None:
        quantities = store.quantities()
        self.keys += [one.key for one in quantities if one.key not in self.keys]
        channels = {key: number for number, key in enumerate(self.keys)}
        for item in self.order.read(quantities, store.headlines(), channels):
            if isinstance(item, RestartMarker):
                self.fed.append(f"restart {item.step}")
            else:
                item = item.batch()
                self.fed += [
                    (self.keys[channel], step)
                    for channel, step in zip(
                        item.channels.tolist(), item.steps.tolist(), strict=True
                    )
                ]


def test_points_come_in_the_order_of_training() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "jsonl", 20, "", points("eval_loss", [2]), EVAL)
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3], order=1), TRAIN)
    store.add(0, "jsonl", 20, "", points("lr", [1, 2, 3], order=4), RATE)
    feed.update(store)
    rate, train, evals = "learning_rate", "train/loss", "eval/loss"
    assert feed.fed == [
        (rate, 1),
        (train, 1),
        (rate, 2),
        (train, 2),
        (evals, 2),
        (rate, 3),
        (train, 3),
    ]


@pytest.mark.parametrize("window", [1, 3, 7])
def test_a_long_log_is_joined_in_windows(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [1, 2, 2, 3, 9, 4, 5, 5, 5, 8]
    store, whole, cut = RunStore(), Feed(), Feed()
    store.add(0, "jsonl", 20, "", points("loss", steps), TRAIN)
    store.add(0, "jsonl", 20, "", points("lr", [2, 5, 4, 8], order=10), RATE)
    store.add(0, "jsonl", 20, "", points("eval_loss", [5, 5], order=14), EVAL)
    whole.update(store)
    monkeypatch.setattr(training_order, "WINDOW", window)
    cut.update(store)
    assert len(whole.fed) == 17 and cut.fed == whole.fed


def test_each_point_is_fed_once() -> None:
    store, feed = RunStore(), Feed()
    for step in (1, 2, 3):
        store.add(0, "jsonl", 20, "", points("loss", [step], order=step), TRAIN)
        feed.update(store)
        feed.update(store)
    assert feed.fed == [("train/loss", 1), ("train/loss", 2), ("train/loss", 3)]


def test_points_that_a_lesser_source_logged_first_are_not_fed_twice() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "hf_trainer", 40, "", points("loss", [10, 20, 30]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [10, 20, 30, 40]), TRAIN)
    feed.update(store)
    store.add(0, "hf_trainer", 40, "", points("loss", [40, 50], order=3), TRAIN)
    feed.update(store)
    assert feed.fed == [("train/loss", step) for step in (10, 20, 30, 40, 50)]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_restart_precedes_its_points(cut: int) -> None:
    steps = [1, 2, 3, 4, 3, 4, 5, 6]
    store, feed = RunStore(), Feed()
    store.add(0, "jsonl", 20, "", points("loss", steps[:cut]), TRAIN)
    feed.update(store)
    store.add(0, "jsonl", 20, "", points("loss", steps[cut:], order=cut), TRAIN)
    feed.update(store)
    fed = [("train/loss", step) for step in steps]
    assert feed.fed == [*fed[:4], "restart 3", *fed[4:]]


def test_repeated_steps_of_the_leading_source_are_fed_however_they_arrive() -> None:
    together, apart = Feed(), Feed()
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", [5, 5, 5]), TRAIN)
    together.update(store)
    store = RunStore()
    for order in range(3):
        store.add(0, "csv", 50, "", points("loss", [5], order=order), TRAIN)
        apart.update(store)
    assert together.fed == apart.fed == [("train/loss", 5)] * 3


def test_a_better_source_that_appears_makes_the_order_stale() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "text", 90, "", points("loss", [1, 2, 3]), TRAIN)
    feed.update(store)
    assert not feed.order.is_stale(store.quantities(), store.headlines())
    store.add(1, "tensorboard", 10, "", points("train/loss", [1, 2, 3]), TRAIN)
    assert feed.order.is_stale(store.quantities(), store.headlines())


def test_a_restart_over_two_files_is_fed() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3], wall=0), TRAIN)
    store.add(1, "tensorboard", 10, "", points("loss", [2, 3, 4], wall=50), TRAIN)
    feed.update(store)
    assert feed.fed.count("restart 2") == 1
    assert [entry[1] for entry in feed.fed if isinstance(entry, tuple)] == [1, 2, 3, 2, 3, 4]
    assert np.all([s.n == 4 for s in store.series()])


def test_a_restart_that_only_a_lesser_source_knows_is_not_fed() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "wandb", 30, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [1, 2, 3, 4, 1, 2, 3, 4]), TRAIN)
    feed.update(store)
    assert feed.fed == [("train/loss", step) for step in (1, 2, 3, 4)]


def test_another_source_knows_the_restarts_of_the_headline_by_their_step() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3, 2, 3, 4]), TRAIN)
    store.add(1, "hf_trainer", 40, "", points("eval_loss", [1, 3]), EVAL)
    feed.update(store)
    train, evals = "train/loss", "eval/loss"
    fed = [(train, 1), (evals, 1), (train, 2), (train, 3), "restart 2"]
    assert feed.fed == [*fed, (train, 2), (train, 3), (evals, 3), (train, 4)]


def test_steps_of_another_source_are_counted_as_the_leader_counts() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "keras", 50, "", points("loss", [0, 1, 2]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [1, 2, 3, 4], [0.0, 1.0, 2.0, 3.0]), TRAIN)
    feed.update(store)
    assert feed.fed == [("train/loss", step) for step in (0, 1, 2, 3)]


def test_an_eval_that_is_logged_late_upsets_the_order() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3]), TRAIN)
    feed.update(store)
    assert not feed.order.disordered
    store.add(1, "csv", 50, "", points("eval_loss", [2]), EVAL)
    feed.update(store)
    assert feed.order.disordered


def test_points_that_only_grow_keep_the_order() -> None:
    store, feed = RunStore(), Feed()
    for step in range(5):
        store.add(0, "jsonl", 20, "", points("loss", [step], order=2 * step), TRAIN)
        feed.update(store)
        store.add(0, "jsonl", 20, "", points("eval_loss", [step], order=2 * step + 1), EVAL)
        feed.update(store)
    assert not feed.order.disordered


def test_thinning_does_not_change_the_position() -> None:
    store, feed = RunStore(budget=1 << 16), Feed()
    store.add(0, "jsonl", 20, "", points("loss", range(10_000)), TRAIN)
    feed.update(store)
    store.thin()
    assert store.has_dropped()
    store.add(0, "jsonl", 20, "", points("loss", [10_000, 10_001], order=10_000), TRAIN)
    feed.update(store)
    assert feed.fed == [("train/loss", step) for step in range(10_002)]


def test_sampling_does_not_change_the_position() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "csv", 50, "", points("loss", range(10_000)), TRAIN)
    store.add(1, "tensorboard", 10, "", points("loss", range(6_000)), TRAIN)
    feed.update(store)
    assert store.sample()
    store.add(0, "csv", 50, "", points("loss", [10_000, 10_001], order=10_000), TRAIN)
    feed.update(store)
    store.add(1, "tensorboard", 10, "", points("loss", range(6_000, 10_003), order=6_000), TRAIN)
    feed.update(store)
    assert sorted(step for _, step in feed.fed) == list(range(10_003))
    assert not feed.order.disordered


def test_a_new_order_reads_all_points_that_are_held() -> None:
    store, feed = RunStore(), Feed()
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3]), TRAIN)
    feed.update(store)
    again = Feed()
    again.update(store)
    assert again.fed == feed.fed
