"""What a loss may do without being healthy, whatever its sign and whatever else is logged."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.diagnosis.advice import advise
from lossmon.diagnosis.engine import Engine
from lossmon.types import Confidence, Kind, Meaning, Severity, Split
from tests.diagnosis.feeding import Curve, assert_sound, columns, diagnose, falling, noisy, run

STEPS = 10 * np.arange(1, 151)
EVAL_STEPS = 75 * np.arange(1, 21)


def evals_only(values: np.ndarray) -> dict[str, Curve]:
    return {"eval/loss": (EVAL_STEPS[: len(values)], values)}


def test_evals_that_leave_their_best_for_good_have_diverged() -> None:
    values = np.array([1.48, 0.5, 2.4, 2.5, 2.4, 2.3, 2.46, 2.46])
    verdict = diagnose(evals_only(values)).verdict
    assert (verdict.code, verdict.variant) == ("diverging", "evals")


def test_evals_alone_that_turn_up_overfit_or_worse() -> None:
    values = np.concatenate((falling(8, 2.0, 1.0, 8), np.linspace(1.0, 1.25, 10)))
    verdict = diagnose(evals_only(noisy(values, 0.003))).verdict
    assert (verdict.code, verdict.variant) == ("overfitting", "alone")


def test_the_evidence_gives_the_newest_eval_unless_it_is_back_at_its_best() -> None:
    values = np.concatenate((falling(8, 2.0, 1.0, 8), np.linspace(1.0, 1.25, 10)))
    for newest, shown in ((1.3, 1.3), (1.01, 1.25)):
        verdict = diagnose(evals_only(np.append(values, newest))).verdict
        assert verdict.facts["eval"] == pytest.approx(shown, abs=0.05)


@pytest.mark.parametrize("end", [2.5, 1.1])
def test_a_train_log_that_ends_early_says_nothing_about_the_end(end: float) -> None:
    train = (STEPS[:12], noisy(np.linspace(2.4, 2.3, 12), 0.01))
    evals = noisy(np.append(falling(10, 2.2, 1.0), np.linspace(1.0, end, 10)), 0.003)
    diagnosis = diagnose({"train/loss": train, "eval/loss": (EVAL_STEPS, evals)})
    assert diagnosis.verdict.code in {"overfitting", "diverging"}
    assert "train_ended" in diagnosis.missing


def test_a_falling_eval_beside_a_train_log_that_ended_is_healthy() -> None:
    train = (STEPS[:12], noisy(np.linspace(2.4, 2.3, 12), 0.01))
    evals = noisy(falling(20, 2.2, 0.4, 2), 0.003)
    assert diagnose({"train/loss": train, "eval/loss": (EVAL_STEPS, evals)}).verdict.code == (
        "healthy"
    )


def test_a_fine_tune_that_ends_above_its_start_is_not_healthy() -> None:
    along = np.linspace(0, 1, 120)
    level = 2.9 + 1.4 * np.exp(-(((along - 0.15) / 0.1) ** 2)) + 0.7 * np.clip(5 * along, 0, 1)
    verdict = diagnose(run(noisy(level, 0.05), None)).verdict
    assert (verdict.code, verdict.variant) == ("diverging", "above_start")


def test_a_fine_tune_whose_first_point_alone_is_good_is_not_healthy() -> None:
    level = np.array([2.1, 5.2, 7.4, 6.1, 5.9, 5.0, *np.linspace(4.6, 4.0, 20)])
    verdict = diagnose(run(noisy(level, 0.02), None)).verdict
    assert (verdict.code, verdict.variant) == ("diverging", "above_start")


def test_a_first_point_alone_that_is_a_little_better_is_no_better_start() -> None:
    level = np.concatenate(([1.0], np.full(200, 1.1)))
    assert diagnose(run(level, noise=0.003)).verdict.code != "diverging"


def test_a_blow_up_that_comes_back_to_just_above_its_start_is_not_healthy() -> None:
    along = np.linspace(0, 1, 100)
    level = 2.4 + 40 * np.exp(-(((along - 0.2) / 0.08) ** 2)) + 0.6 * (along > 0.2)
    verdict = diagnose(run(noisy(level, 0.2), None)).verdict
    assert (verdict.code, verdict.variant) == ("diverging", "above_start")


def test_a_blow_up_is_set_against_the_first_point_where_the_next_rise_already() -> None:
    level = np.array([3.3, 5.7, 5.1, 8.3, 20.0, *np.geomspace(95, 6.2, 100)])
    verdict = diagnose(run(noisy(level, 0.13), np.geomspace(50, 5.0, 4))).verdict
    assert (verdict.code, verdict.variant) == ("diverging", "above_start")


@pytest.mark.parametrize(
    ("lowest", "confidence"), [(0.01, Confidence.MEDIUM), (-1.0, Confidence.HIGH)]
)
def test_an_eval_many_times_lower_near_zero_is_not_sure_to_be_easy(
    lowest: float, confidence: Confidence
) -> None:
    train = falling(60, 1.2, 0.06) if lowest > 0 else falling(60, 1.2, 0.5)
    verdict = diagnose(run(train, falling(15, 1.0, abs(lowest) / 10), every=10)).verdict
    assert (verdict.code, verdict.confidence) == ("easy_eval", confidence)


@pytest.mark.parametrize("seed", [13, 31, 35, 57])
def test_a_low_first_batch_among_very_different_ones_is_no_better_start(seed: int) -> None:
    random = np.random.default_rng(seed)
    batches = random.gamma(1.2, 1 / 1.2, 60)
    batches[0] = 0.05
    history = diagnose({"train/loss": (np.arange(1, 61), 2 * batches)}).history
    assert "above_start" not in {change.variant for change in history}


def test_batches_that_differ_more_and_more_are_no_divergence() -> None:
    random = np.random.default_rng(3)
    spread = np.linspace(0.05, 0.6, 300)
    values = 1.2 * np.exp(spread * random.standard_normal(300) - spread**2 / 2)
    history = diagnose({"train/loss": (np.arange(1, 301), values)}).history
    assert max(turn.severity for turn in history) < Severity.WARNING


@pytest.mark.parametrize("seed", [7, 9, 19, 26, 29, 33])
def test_a_few_bad_batches_in_a_row_are_no_divergence(seed: int) -> None:
    random = np.random.default_rng(seed)
    steps = np.arange(1, 61)
    batches = np.where(
        random.random(60) < 0.2, 1 + 2 * random.random(60), 1 - 0.2 * random.random(60)
    )
    level = 1 + 1.5 * np.exp(-steps / 20)
    history = diagnose({"train/loss": (steps, level * batches)}).history
    assert all(change.severity < Severity.WARNING for change in history)


@pytest.mark.parametrize("seed", [0, 2, 6, 7, 10])
def test_rare_bad_batches_that_meet_are_no_divergence(seed: int) -> None:
    random = np.random.default_rng(seed)
    batches = np.where(random.random(60) < 0.12, 2.2, 1)
    curve = (10 * np.arange(1, 61), noisy(2.0 * batches, 0.05, seed=seed))
    history = diagnose({"train/loss": curve}).history
    assert all(change.severity < Severity.WARNING for change in history)


@pytest.mark.parametrize("seed", [125, 145, 242])
def test_a_flat_noisy_log_never_rose_from_its_first_points(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = 2 * (1 + 0.2 * random.standard_normal(60))
    history = diagnose({"train/loss": (np.arange(1, 61), values)}).history
    assert "above_start" not in {change.variant for change in history}


def test_evals_above_their_first_show_that_a_noisy_fine_tune_rose() -> None:
    random = np.random.default_rng(0)
    train = 2.1 * np.exp(0.12 * random.standard_normal(36))
    train[:3] = [1.9, 1.55, 1.95]
    steps = 2 * np.arange(1, 37)
    curves: dict[str, Curve] = {"train/loss": (steps, train)}
    assert diagnose(curves).verdict.code == "healthy"
    curves["eval/loss"] = (steps[3::4], noisy(np.linspace(2.1, 2.5, 9), 0.005))
    assert diagnose(curves).verdict.variant == "above_start"


@pytest.mark.parametrize(("evals", "swings"), [(0.2, True), (0.01, False)])
def test_weights_that_swing_move_both_losses(evals: float, swings: bool) -> None:
    random = np.random.default_rng(5)
    train = 2.0 * np.exp(0.4 * random.standard_normal(200))
    level = 2.0 * np.exp(evals * random.standard_normal(10))
    curves = {
        "train/loss": (np.arange(1, 201), train),
        "eval/loss": (np.arange(20, 201, 20), level),
    }
    assert (diagnose(curves).verdict.code == "oscillating") is swings


def test_a_rate_that_teaches_nothing_is_not_healthy_however_noisy_the_batches() -> None:
    curves = run(np.full(75, 3.1), None, every=2, noise=0.1)
    assert diagnose(curves).verdict.code == "underfitting"


@pytest.mark.parametrize("seed", range(4))
def test_a_loss_that_swings_about_zero_is_never_critical(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = 0.05 * random.standard_normal(300)
    swings = 0.02 * np.sin(np.arange(300) / 20)
    for curve in (values, values + swings):
        history = diagnose({"train/loss": (np.arange(1, 301), curve)}).history
        assert Severity.CRITICAL not in {turn.severity for turn in history}


def test_a_negative_loss_that_comes_back_is_not_critical_while_it_falls() -> None:
    along = np.linspace(0, 1, 150)
    level = 0.6 - 3.2 * along + 6 * np.exp(-np.clip(along - 0.6, 0, None) * 25) * (along > 0.6)
    values = level + 0.05 * np.random.default_rng(1).standard_normal(150)
    diagnosis = diagnose({"train/loss": (STEPS, values)})
    assert diagnosis.verdict.severity < Severity.CRITICAL
    assert_sound(diagnosis)


NOISY_EVALS = (1.4, 1.5, 1.3, 0.18, 0.57, 0.69, 0.55, 0.32, 0.34, 0.7, 0.74, 0.47, 0.36, 0.24, 0.42)
BUMP = (1.5, 0.7, 0.26, 0.15, 0.07, 0.04, 0.037, 0.028, 0.027, 0.026, 0.026, 0.059, 0.069, 0.052)


@pytest.mark.parametrize(
    "evals", [NOISY_EVALS, BUMP, (1.14, 1.77, 1.27)], ids=["noise", "not_visible", "coming_down"]
)
def test_evals_that_may_come_back_are_not_confirmed_to_overfit(evals: tuple[float, ...]) -> None:
    train = np.interp(np.arange(1, 10 * len(evals)), [0, 30, 10 * len(evals)], [3.0, 0.7, 0.4])
    for n in range(2, len(evals) + 1):
        curves = {
            "train/loss": (np.arange(1, 10 * n), train[: 10 * n - 1]),
            "eval/loss": (10 * np.arange(n) + 9, evals[:n]),
        }
        assert diagnose(curves).verdict.severity < Severity.WARNING


def test_the_onset_of_a_divergence_is_where_the_rise_begins() -> None:
    level = falling(600)
    level[400:] *= 6.0
    verdict = diagnose(run(level)).verdict
    assert verdict.code == "diverging"
    assert 395 <= verdict.since_step <= 412


def test_a_loss_that_is_always_zero_is_said_so() -> None:
    verdict = diagnose({"train/loss": (STEPS, np.zeros(150))}).verdict
    assert (verdict.code, verdict.variant) == ("plateau", "zero")


def test_the_evidence_of_a_lifted_loss_has_levels_and_no_percentages() -> None:
    evals = np.concatenate((np.linspace(0.5, -1.5, 8), np.linspace(-1.2, 3.0, 12)))
    train = 0.6 - 2.4 * np.linspace(0, 1, 150)
    finding = diagnose({"train/loss": (STEPS, train), "eval/loss": (EVAL_STEPS, evals)}).verdict
    assert finding.code == "overfitting"
    words = advise(finding).evidence
    assert "%" not in words
    assert "-1.5" in words


def test_one_of_several_metrics_that_falls_is_no_disagreement() -> None:
    engine = Engine()
    curves = run(falling(200, 2.4, 0.4), falling(20, 2.4, 0.5))
    engine.feed(*columns(engine, curves))
    steps = np.asarray(curves["eval/loss"][0], np.int64)
    for name, values in (
        ("precision", np.linspace(1.0, 0.7, 20)),
        ("recall", np.linspace(0.1, 0.8, 20)),
    ):
        meaning = Meaning(f"eval/{name}", name, Split.EVAL, Kind.METRIC, lower_is_better=False)
        engine.feed(np.full(20, engine.channel(meaning, headline=False)), steps, values)
    codes = {finding.code for finding in engine.diagnosis().findings}
    assert "metric_disagreement" not in codes


def test_a_run_that_ended_early_is_too_short_to_judge() -> None:
    engine = Engine()
    engine.feed(*columns(engine, run(falling(3))))
    assert engine.diagnosis().verdict.variant == ""
    assert engine.diagnosis(ended=True).verdict.variant == "ended"


def test_a_run_that_logs_metrics_alone_is_not_called_too_short() -> None:
    engine = Engine()
    meaning = Meaning("eval/accuracy", "accuracy", Split.EVAL, Kind.METRIC, lower_is_better=False)
    channel = engine.channel(meaning, headline=False)
    for begin, variant in ((0, ""), (4, "no_loss")):
        steps = np.arange(begin, begin + 4)
        engine.feed(np.full(4, channel), steps, steps / 10)
        assert engine.diagnosis().verdict.variant == variant
    assert engine.diagnosis(ended=True).verdict.variant == "no_loss"


def test_a_few_points_without_a_clear_fall_are_too_short_once_the_run_is_over() -> None:
    engine = Engine()
    engine.feed(*columns(engine, run(np.array([2.0, 3.4, 2.7, 1.4, 6.6, 2.6]))))
    assert engine.diagnosis().verdict.code == "healthy"
    assert engine.diagnosis(ended=True).verdict.code == "warming_up"
    clear = Engine()
    clear.feed(*columns(clear, run(falling(6))))
    assert clear.diagnosis(ended=True).verdict.code == "healthy"


def test_a_run_that_is_over_shows_what_leads() -> None:
    engine = Engine()
    engine.feed(*columns(engine, run(np.full(101, 2.3), np.full(5, 2.31))))
    over = engine.diagnosis(ended=True)
    assert over.verdict.code == over.history[-1].code == over.findings[0].code
