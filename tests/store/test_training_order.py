from __future__ import annotations

import numpy as np
import pytest

from lossmon.store import RunStore
from lossmon.store.training_order import PointBatch, RestartMarker, TrainingOrder
from lossmon.types import Meaning
from tests.store.points import EVAL, RATE, TRAIN, points


class Listener:
    """Writes down what a diagnosis would hear."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.heard: list[tuple[str, int] | str] = []
        self.tape = TrainingOrder(self.channel, lambda meaning: True)

    def channel(self, key: str, meaning: Meaning, headline: bool) -> int:
        if key not in self.keys:
            self.keys.append(key)
        return self.keys.index(key)

    def listen(self, store: RunStore) -> None:
        for piece in self.tape.pull(store):
            if isinstance(piece, RestartMarker):
                self.heard.append(f"cut {piece.step}")
            elif isinstance(piece, PointBatch):
                self.heard += [
                    (self.keys[channel], step)
                    for channel, step in zip(
                        piece.channels.tolist(), piece.steps.tolist(), strict=True
                    )
                ]


def test_points_come_in_the_order_of_training() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "jsonl", 20, "", points("eval_loss", [2]), EVAL)
    store.add(0, "jsonl", 20, "", points("loss", [1, 2, 3], order=1), TRAIN)
    store.add(0, "jsonl", 20, "", points("lr", [1, 2, 3], order=4), RATE)
    listener.listen(store)
    rate, train, evals = "learning_rate", "train/loss", "eval/loss"
    assert listener.heard == [
        (rate, 1),
        (train, 1),
        (rate, 2),
        (train, 2),
        (evals, 2),
        (rate, 3),
        (train, 3),
    ]


def test_each_point_is_told_once() -> None:
    store, listener = RunStore(), Listener()
    for step in (1, 2, 3):
        store.add(0, "jsonl", 20, "", points("loss", [step], order=step), TRAIN)
        listener.listen(store)
        listener.listen(store)
    assert listener.heard == [("train/loss", 1), ("train/loss", 2), ("train/loss", 3)]


def test_what_a_lesser_source_told_first_is_not_told_again() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "hf_trainer", 40, "", points("loss", [10, 20, 30]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [10, 20, 30, 40]), TRAIN)
    listener.listen(store)
    store.add(0, "hf_trainer", 40, "", points("loss", [40, 50], order=3), TRAIN)
    listener.listen(store)
    assert listener.heard == [("train/loss", step) for step in (10, 20, 30, 40, 50)]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_restart_is_told_before_its_points(cut: int) -> None:
    steps = [1, 2, 3, 4, 3, 4, 5, 6]
    store, listener = RunStore(), Listener()
    store.add(0, "jsonl", 20, "", points("loss", steps[:cut]), TRAIN)
    listener.listen(store)
    store.add(0, "jsonl", 20, "", points("loss", steps[cut:], order=cut), TRAIN)
    listener.listen(store)
    told = [("train/loss", step) for step in steps]
    assert listener.heard == [*told[:4], "cut 3", *told[4:]]


def test_repeated_steps_of_the_leading_source_are_told_however_they_arrive() -> None:
    together, apart = Listener(), Listener()
    store = RunStore()
    store.add(0, "csv", 50, "", points("loss", [5, 5, 5]), TRAIN)
    together.listen(store)
    store = RunStore()
    for order in range(3):
        store.add(0, "csv", 50, "", points("loss", [5], order=order), TRAIN)
        apart.listen(store)
    assert together.heard == apart.heard == [("train/loss", 5)] * 3


def test_a_better_source_that_appears_makes_the_tape_stale() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "text", 90, "", points("loss", [1, 2, 3]), TRAIN)
    listener.listen(store)
    assert not listener.tape.is_stale(store)
    store.add(1, "tensorboard", 10, "", points("train/loss", [1, 2, 3]), TRAIN)
    assert listener.tape.is_stale(store)


def test_a_restart_over_two_files_is_told() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3], wall=0), TRAIN)
    store.add(1, "tensorboard", 10, "", points("loss", [2, 3, 4], wall=50), TRAIN)
    listener.listen(store)
    assert listener.heard.count("cut 2") == 1
    assert [entry[1] for entry in listener.heard if isinstance(entry, tuple)] == [1, 2, 3, 2, 3, 4]
    assert np.all([s.n == 4 for s in store.series()])


def test_a_restart_that_only_a_lesser_source_knows_is_not_told() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "wandb", 30, "", points("loss", [1, 2, 3, 4]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [1, 2, 3, 4, 1, 2, 3, 4]), TRAIN)
    listener.listen(store)
    assert listener.heard == [("train/loss", step) for step in (1, 2, 3, 4)]


def test_another_source_knows_the_restarts_of_the_headline_by_their_step() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3, 2, 3, 4]), TRAIN)
    store.add(1, "hf_trainer", 40, "", points("eval_loss", [1, 3]), EVAL)
    listener.listen(store)
    train, evals = "train/loss", "eval/loss"
    told = [(train, 1), (evals, 1), (train, 2), (train, 3), "cut 2"]
    assert listener.heard == [*told, (train, 2), (train, 3), (evals, 3), (train, 4)]


def test_steps_of_another_source_are_counted_as_the_leader_counts() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "keras", 50, "", points("loss", [0, 1, 2]), TRAIN)
    store.add(1, "text", 90, "", points("loss", [1, 2, 3, 4], [0.0, 1.0, 2.0, 3.0]), TRAIN)
    listener.listen(store)
    assert listener.heard == [("train/loss", step) for step in (0, 1, 2, 3)]


def test_an_eval_that_is_told_late_upsets_the_order() -> None:
    store, listener = RunStore(), Listener()
    store.add(0, "tensorboard", 10, "", points("loss", [1, 2, 3]), TRAIN)
    listener.listen(store)
    assert not listener.tape.disordered
    store.add(1, "csv", 50, "", points("eval_loss", [2]), EVAL)
    listener.listen(store)
    assert listener.tape.disordered


def test_points_that_only_grow_keep_the_order() -> None:
    store, listener = RunStore(), Listener()
    for step in range(5):
        store.add(0, "jsonl", 20, "", points("loss", [step], order=2 * step), TRAIN)
        listener.listen(store)
        store.add(0, "jsonl", 20, "", points("eval_loss", [step], order=2 * step + 1), EVAL)
        listener.listen(store)
    assert not listener.tape.disordered
