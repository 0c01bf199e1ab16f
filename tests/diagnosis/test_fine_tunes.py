"""A good model that is tuned further falls by little, and is not stuck for that."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.types import Confidence, Diagnosis, Floats
from tests.diagnosis.feeding import Curve, diagnose, noisy

STUCK = {"underfitting", "plateau", "lr_too_low"}


def rate(n: int, shape: str) -> Floats:
    """Warm-up over 3 % of the run, then a schedule."""
    along = np.linspace(0, 1, n)
    later = {
        "cosine": (1 + np.cos(np.pi * along)) / 2,
        "linear": 1 - along,
        "constant": 1 + 0 * along,
    }
    return np.asarray(2e-4 * np.minimum(along / 0.03, 1) * later[shape])


def tuned(
    n: int = 120, evals: int = 6, fall: float = 0.12, shape: str = "cosine", logged: bool = True
) -> dict[str, Curve]:
    """A loss of 1.9 that falls as far as the summed learning rate has carried it."""
    steps = 10 * np.arange(1, n + 1)
    pace = np.cumsum(rate(n, shape))
    carried = 1 - np.exp(-2 * pace / pace[-1])
    level = 1.9 * np.exp(-fall * carried / carried[-1])
    places = np.linspace(n // evals, n, evals).astype(int) - 1
    curves: dict[str, Curve] = {
        "train/loss": (steps, noisy(level, 0.05)),
        "eval/loss": (steps[places], noisy(0.97 * level[places], 0.001, seed=1)),
    }
    return {**curves, "learning_rate": (steps, rate(n, shape))} if logged else curves


FINE = [
    pytest.param(tuned(shape=shape, evals=evals, fall=fall), id=f"{shape} {evals} evals {fall}")
    for shape in ("cosine", "linear", "constant")
    for evals in (3, 6, 12)
    for fall in (0.06, 0.12, 0.2)
] + [
    pytest.param(tuned(logged=False), id="rate not logged"),
    pytest.param(tuned(n=1000, evals=20), id="long"),
    pytest.param({"train/loss": tuned(n=200)["train/loss"]}, id="no eval loss"),
]


def codes(diagnosis: Diagnosis) -> set[str]:
    return {turn.code for turn in diagnosis.history} | {f.code for f in diagnosis.findings}


@pytest.mark.parametrize("curves", FINE)
def test_a_healthy_fine_tune_is_never_called_stuck(curves: dict[str, Curve]) -> None:
    diagnosis = diagnose(curves)
    assert not codes(diagnosis) & STUCK
    assert diagnosis.verdict.code in {"healthy", "converged"}


def test_a_small_fall_is_called_healthy_with_little_confidence() -> None:
    verdict = diagnose(tuned(fall=0.1)).verdict
    assert (verdict.code, verdict.confidence) == ("healthy", Confidence.LOW)


def dropped(level: Floats, evals: Floats, noise: float = 0.05) -> dict[str, Curve]:
    """A loss beside a learning rate that stays up."""
    steps = 10 * np.arange(1, len(level) + 1)
    places = steps[np.linspace(0, len(level) - 1, len(evals)).astype(int)]
    return {
        "train/loss": (steps, noisy(level, noise)),
        "eval/loss": (places, evals),
        "learning_rate": (steps, np.full(len(level), 1e-3)),
    }


ALONG = np.linspace(0, 1, 120)


@pytest.mark.parametrize(
    "curves",
    [
        pytest.param(
            dropped(2.0 + 0.2 * np.exp(-ALONG * 40), 2.0 + 0.1 * np.exp(-ALONG[::10] * 40)),
            id="drops to its floor at once and lies there",
        ),
        pytest.param(dropped(np.full(120, 2.3), np.full(12, 2.3)), id="never moves"),
        pytest.param(
            dropped(2.3 - 0.02 * ALONG, 2.3 - 0.02 * ALONG[::10], 0.002), id="crawls, batches alike"
        ),
        pytest.param(
            dropped(2.2 - 0.05 * ALONG, np.full(12, 2.2) + 0.002 * (np.arange(12) % 2)),
            id="train falls a little, evals stand still",
        ),
    ],
)
def test_a_loss_that_lies_flat_is_still_called_stuck(curves: dict[str, Curve]) -> None:
    assert diagnose(curves).verdict.code in STUCK


def test_a_decay_far_too_early_explains_no_flat_loss() -> None:
    curves = dropped(2.0 + 0.2 * np.exp(-ALONG * 40), 2.0 + 0.1 * np.exp(-ALONG[::10] * 40))
    early = np.where(ALONG < 0.05, 1e-3, 1e-6)
    curves["learning_rate"] = (curves["train/loss"][0], early)
    assert diagnose(curves).verdict.code in STUCK
