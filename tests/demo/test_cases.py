"""Every demo training really shows what its name says, measured on its own curves."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.demo.cases import CASES, Rate
from tests.demo.curves import SEEDS, curves

seeds = pytest.mark.parametrize("seed", SEEDS)


@seeds
def test_the_healthy_run_learns_the_language_and_its_evals_follow(seed: int) -> None:
    run = curves("healthy", seed)
    assert run.train_near(1.0) < 0.25 * run.train[0]
    assert run.eval_near(1.0) < 1.02 * run.eval.min()
    assert abs(run.eval_near(1.0) / run.train_near(1.0) - 1) < 0.15
    assert run.accuracy[-1] > 0.8


@seeds
def test_the_overfitting_run_rises_from_an_early_eval_minimum_while_train_falls(seed: int) -> None:
    run = curves("overfit", seed)
    best = int(run.eval.argmin()) + 1
    assert 4 <= best <= len(run.eval) // 3
    assert run.eval_near(1.0) > 1.25 * run.eval.min()
    assert run.train_near(1.0) < 0.3 * run.train_near(best / len(run.eval))
    assert run.accuracy[-10:].mean() < 1.02 * run.accuracy[best - 1], "the metric agrees"


@seeds
def test_the_underfitting_run_stays_high_on_both_sides(seed: int) -> None:
    run = curves("underfit", seed)
    assert run.train_near(1.0) > 0.8 * run.train[0]
    assert abs(run.train_near(1.0) / run.train_near(0.4) - 1) < 0.01
    assert abs(run.eval_near(1.0) / run.train_near(1.0) - 1) < 0.05


@seeds
def test_the_oscillating_run_swings_widely_and_still_falls(seed: int) -> None:
    run = curves("oscillate", seed)
    assert run.eval[-10:].mean() < 0.85 * run.eval[2:5].mean()
    assert np.median(np.abs(np.diff(np.log(run.eval), 2))) > 0.07
    assert np.median(np.abs(np.diff(np.log(run.train)))) > 0.15


@seeds
def test_the_plateau_run_falls_first_and_then_stands_still(seed: int) -> None:
    run = curves("plateau", seed)
    assert 0.6 < run.train_near(1.0) / run.train[0] < 0.9
    assert abs(run.train_near(1.0) / run.train_near(0.4) - 1) < 0.02


@seeds
def test_the_diverging_run_leaves_a_good_level_for_ever_but_stays_finite(seed: int) -> None:
    run = curves("diverge", seed)
    assert np.isfinite(run.train).all()
    assert run.train_near(0.15) < 0.25 * run.train[0]
    assert run.train_near(1.0) > 3 * run.train_near(0.15)


@seeds
def test_the_nan_run_learns_well_until_its_loss_is_not_a_number_any_more(seed: int) -> None:
    run = curves("nan", seed)
    first = int(np.flatnonzero(~np.isfinite(run.train))[0])
    assert 0.1 < first / len(run.train) < 0.6
    assert run.train[first - 1] < 0.6 * run.train[0]
    assert np.isnan(run.train[first:]).all()


@seeds
def test_the_mismatched_run_gets_better_on_eval_and_hardly_on_train(seed: int) -> None:
    run = curves("mismatch", seed)
    train = np.log(run.train_near(0.1) / run.train_near(1.0))
    assert np.log(run.eval_near(0.1) / run.eval_near(1.0)) > 5 * train
    assert run.eval_near(1.0) < 0.7 * run.train_near(1.0)


@seeds
def test_the_run_with_an_easy_eval_falls_much_faster_there(seed: int) -> None:
    run = curves("easy-eval", seed)
    train = run.train_near(0.1) / run.train_near(1.0)
    assert train > 1.3
    assert np.log(run.eval_near(0.1) / run.eval_near(1.0)) > 1.6 * np.log(train)
    assert run.eval_near(1.0) < 0.5 * run.train_near(1.0)


def test_every_case_says_why_and_what_to_expect() -> None:
    for name, case in CASES.items():
        assert name == case.name
        assert case.why
        assert case.expected


def test_a_rate_warms_up_in_a_line_and_descends_to_its_floor() -> None:
    rate = Rate(peak=1.0, warmup=10, floor=0.1)
    assert [rate.at(step, 100) for step in (1, 5, 10)] == [0.1, 0.5, 1.0]
    assert rate.at(100, 100) == pytest.approx(0.1)
    assert Rate(peak=1.0, warmup=10).at(100, 100) == 1.0
