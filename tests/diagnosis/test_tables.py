"""Two tables that everybody can judge by eye."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnosis.feeding import diagnose

STEPS = np.arange(100, 1001, 100)
GOOD_TRAIN = [2.1, 1.5, 1.1, 0.8, 0.6, 0.5, 0.45, 0.42, 0.41, 0.4]
GOOD_EVAL = [2.2, 1.6, 1.25, 0.95, 0.8, 0.72, 0.68, 0.66, 0.65, 0.65]
OVERFIT_TRAIN = [2.1, 1.4, 0.9, 0.6, 0.4, 0.3, 0.2, 0.15, 0.1, 0.08]
OVERFIT_EVAL = [2.2, 1.5, 1.1, 0.9, 0.85, 0.88, 0.95, 1.1, 1.3, 1.5]


def codes(train: list[float], evals: list[float], n: int) -> tuple[str, str]:
    verdict = diagnose(
        {"train/loss": (STEPS[:n], train[:n]), "eval/loss": (STEPS[:n], evals[:n])}
    ).verdict
    return verdict.code, verdict.severity.word


@pytest.mark.parametrize("n", range(5, 11))
def test_a_good_fit_is_healthy_from_its_fifth_point_on(n: int) -> None:
    assert codes(GOOD_TRAIN, GOOD_EVAL, n) == ("healthy", "ok")


@pytest.mark.parametrize("n", [5, 6])
def test_an_overfit_is_not_called_before_its_eval_has_clearly_turned(n: int) -> None:
    assert codes(OVERFIT_TRAIN, OVERFIT_EVAL, n) == ("healthy", "ok")


@pytest.mark.parametrize("n", range(7, 11))
def test_an_overfit_is_named_two_evals_after_its_minimum(n: int) -> None:
    assert codes(OVERFIT_TRAIN, OVERFIT_EVAL, n)[0] == "overfitting"


@pytest.mark.parametrize("n", range(8, 11))
def test_an_overfit_is_a_warning_once_two_evals_lie_high(n: int) -> None:
    assert codes(OVERFIT_TRAIN, OVERFIT_EVAL, n) == ("overfitting", "warning")


def test_overfitting_points_at_the_best_step_in_plain_numbers() -> None:
    verdict = diagnose(
        {"train/loss": (STEPS, OVERFIT_TRAIN), "eval/loss": (STEPS, OVERFIT_EVAL)}
    ).verdict
    assert verdict.since_step == 500
    assert verdict.facts["best"] == pytest.approx(0.85)
    assert verdict.facts["best_step"] == 500


@pytest.mark.parametrize("n", range(1, 5))
@pytest.mark.parametrize(
    ("train", "evals"), [(GOOD_TRAIN, GOOD_EVAL), (OVERFIT_TRAIN, OVERFIT_EVAL)]
)
def test_fewer_than_five_points_are_too_few_to_say(
    train: list[float], evals: list[float], n: int
) -> None:
    assert codes(train, evals, n) == ("warming_up", "neutral")


@pytest.mark.parametrize("n", range(1, 11))
def test_a_good_fit_is_never_warned_of_on_the_way(n: int) -> None:
    history = diagnose(
        {"train/loss": (STEPS[:n], GOOD_TRAIN[:n]), "eval/loss": (STEPS[:n], GOOD_EVAL[:n])}
    ).history
    assert {turn.code for turn in history} <= {"warming_up", "healthy"}
