"""The verdict rests on what was learnt, not on how often it was logged."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnosis.feeding import Curve, diagnose, falling, run
from tests.diagnosis.test_rules import rising_late

LONG = 2000

SHOWN = [
    pytest.param(run(falling(LONG), falling(40, 2.4, 0.6)), "healthy", id="both fall"),
    pytest.param(run(falling(LONG, pace=25), falling(40, 2.4, 0.6, 25)), "converged", id="settled"),
    pytest.param(run(np.full(LONG, 2.3), np.full(40, 2.31)), "underfitting", id="never moves"),
    pytest.param(run(falling(LONG, end=0.1), rising_late(40, 0.5)), "overfitting", id="turns up"),
    pytest.param(run(falling(LONG, 2.5, 0.4), falling(40, 2.0, 0.05)), "easy_eval", id="eval easy"),
    pytest.param(
        run(falling(LONG, 2.5, 2.0), falling(40, 2.3, 0.6)),
        "distribution_mismatch",
        id="train high",
    ),
]


def thinned(curves: dict[str, Curve], every: int) -> dict[str, Curve]:
    """Only every nth train point."""
    steps, values = curves["train/loss"]
    return {**curves, "train/loss": (steps[::every], values[::every])}


def averaged(curves: dict[str, Curve], every: int) -> dict[str, Curve]:
    """Means over n train points, as a trainer logs them."""
    steps, values = (np.asarray(column) for column in curves["train/loss"])
    means = values.reshape(-1, every).mean(axis=1)
    return {**curves, "train/loss": (steps[every - 1 :: every], means)}


@pytest.mark.parametrize("every", [2, 10, 100, 250])
@pytest.mark.parametrize(("curves", "code"), SHOWN)
def test_fewer_train_points_get_the_same_verdict(
    curves: dict[str, Curve], code: str, every: int
) -> None:
    assert diagnose(thinned(curves, every)).verdict.code == code


@pytest.mark.parametrize("every", [2, 10, 100])
@pytest.mark.parametrize(("curves", "code"), SHOWN)
def test_means_over_steps_get_the_same_verdict(
    curves: dict[str, Curve], code: str, every: int
) -> None:
    assert diagnose(averaged(curves, every)).verdict.code == code


def test_denser_evals_tell_a_divergence_that_few_train_points_hide() -> None:
    steps = np.arange(1, 1001)
    level = np.where(steps < 500, falling(1000), 3.0)
    few, dense = steps[99::200], steps[49::50]
    curves: dict[str, Curve] = {
        "train/loss": (few, level[few - 1]),
        "eval/loss": (dense, 1.05 * level[dense - 1]),
    }
    assert diagnose(curves).verdict.code == "diverging"


def test_evals_at_the_steps_of_train_points_are_no_evidence_of_their_own() -> None:
    steps, flat = np.arange(10, 61, 10), np.full(6, 2.3)
    together: dict[str, Curve] = {"train/loss": (steps, flat), "eval/loss": (steps, 1.01 * flat)}
    between = {**together, "eval/loss": (steps - 5, 1.01 * flat)}
    assert diagnose(together).verdict.code == "healthy"
    assert diagnose(between).verdict.code == "underfitting"
