"""The model that the demo trains: its gradients, its data, its reproducibility."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import pytest

from lossmon.demo.cases import CASES
from lossmon.demo.model import (
    ALPHABET,
    CONTEXT,
    Model,
    ModelShape,
    Parameters,
    cross_entropy,
    decode,
    encode,
    misprint,
    text,
    windows,
)
from lossmon.demo.training import DemoTraining


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_written_gradients_are_those_of_the_loss(activation: Literal["relu", "tanh"]) -> None:
    rng = np.random.default_rng(0)
    model = Model(ModelShape(hidden=16, activation=activation), rng)
    # Wide numbers and a tiny step: a relu must not change its mind between the two losses.
    wide = {name: value.astype(np.float64) for name, value in model.parameters.items()}
    model.parameters = cast(Parameters, wide)
    contexts, targets = windows(encode(text(rng, 2)))
    gradients = model.gradients(contexts, targets)[1]
    for name, start in wide.items():
        direction = rng.standard_normal(start.shape)
        losses = []
        for sign in (1, -1):
            wide[name] = start + sign * 1e-6 * direction
            losses.append(cross_entropy(model.probabilities(contexts), targets))
        wide[name] = start
        measured = (losses[0] - losses[1]) / 2e-6
        assert measured == pytest.approx((gradients[name] * direction).sum(), abs=1e-4), name


def test_a_model_that_knows_nothing_loses_the_logarithm_of_the_alphabet() -> None:
    training = DemoTraining(CASES["healthy"], seed=3)
    assert training.evaluate().loss == pytest.approx(np.log(len(ALPHABET)), rel=0.02)


def test_a_seed_gives_the_same_run_again_and_another_seed_another() -> None:
    first, again, other = (DemoTraining(CASES["overfit"], seed) for seed in (4, 4, 5))
    losses = [[training.step().loss for _ in range(5)] for training in (first, again, other)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_an_eval_and_a_written_text_leave_the_training_as_it_was() -> None:
    looked, plain = (DemoTraining(CASES["mismatch"], 1) for _ in range(2))
    looked.evaluate()
    looked.write()
    assert looked.step() == plain.step()


def test_a_context_is_what_stands_before_its_target() -> None:
    contexts, targets = windows(encode("the old fox slept."))
    assert decode(contexts[3]) + decode(targets[3:4]) == "the old fox slept."[3 : 3 + CONTEXT + 1]
    assert len(contexts) == len(targets) == len("the old fox slept.") - CONTEXT


def test_misprints_change_about_the_share_asked_for() -> None:
    rng = np.random.default_rng(0)
    codes = encode(text(rng, 200))
    changed = (misprint(rng, codes, 0.25) != codes).mean()
    assert changed == pytest.approx(0.25, abs=0.02)


def test_a_trained_model_writes_words_of_its_language() -> None:
    training = DemoTraining(CASES["healthy"], 0)
    for _ in range(300):
        training.step()
    assert " the " in training.write(200)
