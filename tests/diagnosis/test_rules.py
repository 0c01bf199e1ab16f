"""Each diagnosis: the curve that shows it, and the curves that only look like it."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.diagnosis.engine import Engine
from lossmon.types import Diagnosis, Floats, Severity
from tests.diagnosis.feeding import Curve, columns, diagnose, falling, noisy, run

STEPS = np.arange(1, 601)


def rising_late(n: int, rise: float, best: float = 0.4) -> Floats:
    """An eval loss that falls until `best` of the run and then climbs by `rise` in all."""
    along = np.linspace(0, 1, n)
    down = falling(n, 2.5, 1.0, 4 / best)
    return np.asarray(down * (1 + rise * np.clip((along - best) / (1 - best), 0, None)))


def step_up(n: int, at: float, factor: float) -> Floats:
    """A descent that jumps at a share of the run and stays there."""
    level = falling(n)
    level[int(at * n) :] = factor * level[int(at * n)]
    return level


def spiked(n: int, at: int, width: int, factor: float) -> Floats:
    """A descent with a burst of high points."""
    level = falling(n)
    level[at : at + width] *= factor
    return level


def restarting_rate(n: int, cycles: int = 3) -> Floats:
    """Cosine restarts of the learning rate."""
    along = np.linspace(0, cycles, n, endpoint=False) % 1
    return np.asarray(1e-3 * (0.02 + 0.98 * (1 + np.cos(np.pi * along)) / 2))


def restarted(n: int, cycles: int = 3) -> Floats:
    """A loss that jumps by a sixth of its level at each restart of the rate."""
    along = np.linspace(0, cycles, n, endpoint=False) % 1
    return np.asarray(falling(n, pace=3) * (1 + 0.16 * (1 - along) * (np.arange(n) > n / cycles)))


def with_rate(curves: dict[str, Curve], rate: Floats) -> dict[str, Curve]:
    return {**curves, "learning_rate": (curves["train/loss"][0], rate)}


SHOWN = [
    pytest.param(run(falling(600), falling(20, 2.4, 0.6)), "healthy", id="both fall"),
    pytest.param(run(falling(60), None, every=10), "healthy", id="train alone falls"),
    pytest.param(run(falling(600, pace=25), falling(30, 2.4, 0.6, 25)), "converged", id="settled"),
    pytest.param(run(np.full(600, 2.3), np.full(20, 2.31)), "underfitting", id="never moves"),
    pytest.param(run(falling(600, 2.4, 1.96, 30), np.full(20, 1.965)), "plateau", id="stuck"),
    pytest.param(
        run(np.linspace(2.4, 2.28, 700), np.linspace(2.4, 2.28, 60), noise=0.01),
        "lr_too_low",
        id="crawls",
    ),
    pytest.param(run(falling(600, end=0.1), rising_late(20, 0.5)), "overfitting", id="turns up"),
    pytest.param(
        run(falling(600, 2.5, 0.01, 6), np.full(20, 2.4)), "fast_memorisation", id="by heart"
    ),
    pytest.param(
        run(falling(600, 2.5, 2.0), falling(20, 2.3, 0.6)), "distribution_mismatch", id="train high"
    ),
    pytest.param(run(falling(600, 2.5, 0.4), falling(20, 2.0, 0.05)), "easy_eval", id="eval easy"),
    pytest.param(run(step_up(600, 0.6, 6.0)), "diverging", id="jumps and stays"),
    pytest.param(
        run(falling(600) * np.exp(np.clip(np.arange(600) - 400, 0, None) / 60)),
        "diverging",
        id="climbs",
    ),
    pytest.param(run(falling(600), noise=1.2), "oscillating", id="batches of one"),
    pytest.param(
        run(falling(60), noisy(falling(30, 2.4, 0.8), 0.25, seed=3), every=10, noise=0.15),
        "oscillating",
        id="evals jump",
    ),
    pytest.param(run(spiked(600, 598, 2, 9.0)), "spike", id="spike now"),
]


@pytest.mark.parametrize(("curves", "code"), SHOWN)
def test_a_clear_case_is_named(curves: dict[str, Curve], code: str) -> None:
    assert diagnose(curves).verdict.code == code


@pytest.mark.parametrize(("curves", "code"), SHOWN)
def test_a_thousandfold_loss_gets_the_same_history(curves: dict[str, Curve], code: str) -> None:
    scaled = {key: (steps, 1000 * np.asarray(values)) for key, (steps, values) in curves.items()}
    assert diagnose(scaled).history == diagnose(curves).history


@pytest.mark.parametrize(("curves", "code"), SHOWN)
def test_later_steps_get_the_same_verdict(curves: dict[str, Curve], code: str) -> None:
    moved = {key: (np.asarray(steps) + 50_000, y) for key, (steps, y) in curves.items()}
    assert diagnose(moved).verdict.code == code


@pytest.mark.parametrize(("curves", "code"), SHOWN)
def test_a_finding_never_lies_outside_the_run(curves: dict[str, Curve], code: str) -> None:
    diagnosis = diagnose(curves)
    steps = np.concatenate([np.asarray(steps) for steps, _ in curves.values()])
    assert all(steps.min() <= f.since_step <= steps.max() for f in diagnosis.findings)
    assert diagnosis.findings[0] is diagnosis.verdict


def stairs(n: int, epochs: int = 3) -> Floats:
    """A descent with a step down at the beginning of each epoch, as of texts seen before."""
    epoch = np.arange(n) * epochs // n
    return np.asarray(2.2 * 0.85**epoch * falling(n, 1.05, 1.0))


def running_mean(n: int, epochs: int) -> Floats:
    """The mean of the epoch so far, as Keras and Lightning print it: it jumps at each begin."""
    level = noisy(falling(n), 0.1, seed=2)
    parts = np.split(level, epochs)
    return np.concatenate([np.cumsum(part) / np.arange(1, len(part) + 1) for part in parts])


def warmed_up(n: int) -> Floats:
    """A loss that stands still while the rate warms up for a tenth of the run."""
    return np.asarray(np.concatenate((np.full(n // 10, 2.5), falling(n - n // 10))))


QUIET = [
    pytest.param(run(falling(600), falling(20, 2.4, 0.6)), id="healthy"),
    pytest.param(run(falling(600), rising_late(20, 0.02)), id="eval rises by two percent"),
    pytest.param(
        run(falling(600), noisy(falling(6, 2.4, 0.9), 0.03, seed=5)), id="few and noisy evals"
    ),
    pytest.param(run(falling(600), falling(20, 2.0, 0.42)), id="dropout: eval below train"),
    pytest.param(
        {
            "train/loss": run(4 * falling(600))["train/loss"],
            "eval/loss": run(falling(600), falling(20, 2.4, 0.5))["eval/loss"],
        },
        id="train scaled by gradient accumulation",
    ),
    pytest.param(with_rate(run(restarted(600)), restarting_rate(600)), id="schedule restarts"),
    pytest.param(run(restarted(600)), id="schedule restarts, rate not logged"),
    pytest.param(run(spiked(600, 300, 1, 8.0)), id="one bad batch"),
    pytest.param(
        run(falling(600) * np.where(np.arange(600) < 25, 1.3, 1.0)), id="bump of the warm-up"
    ),
    pytest.param(
        run(np.where(np.arange(600) < 300, 1.0, 0.75) * falling(600)), id="rate decays: kink"
    ),
    pytest.param(
        with_rate(run(warmed_up(600)), 1e-3 * np.minimum(np.arange(600) / 60, 1.0)),
        id="warm-up: flat at first",
    ),
    pytest.param(run(stairs(600), falling(6, 2.1, 1.75)), id="stairs at the epoch boundaries"),
    pytest.param(
        run(running_mean(600, 12), falling(12, 1.6, 0.55), noise=0.0),
        id="running mean of the epoch",
    ),
    pytest.param(run(falling(600), falling(2, 1.2, 0.9)), id="two evals"),
    pytest.param(
        run(falling(600), noisy(falling(40, 2.4, 0.9), 0.04, seed=6)), id="many noisy evals"
    ),
    pytest.param(run(falling(600) - 2.0, falling(20) - 1.9, noise=0.0), id="loss crosses zero"),
    pytest.param(run(-falling(600, 1.0, 5.0), -falling(20, 1.0, 4.9)), id="negative loss"),
    pytest.param(run(falling(600), noise=0.3), id="small batches"),
    pytest.param(run(falling(25), falling(25, 2.2, 0.45), noise=0.01), id="means of the epoch"),
    pytest.param(
        run(falling(600, 2.5, 0.01, 8), falling(20, 1.0, 0.08, 12)), id="generalises, gap is wide"
    ),
]


@pytest.mark.parametrize("curves", QUIET)
def test_a_sound_run_is_never_warned_of(curves: dict[str, Curve]) -> None:
    assert max(turn.severity for turn in diagnose(curves).history) < Severity.WARNING


def test_noise_of_single_batches_waits_for_the_next_eval() -> None:
    """A stretch of hard batches ends before an eval that stands as low as ever."""
    train = noisy(falling(120), 0.45, seed=3)
    train[100:110] *= 5
    alone = run(train, every=10, noise=0.0)
    beside = {**alone, "eval/loss": (np.arange(40, 1201, 40), falling(30, 2.4, 0.55))}
    warned = [max(t.severity for t in diagnose(curves).history) for curves in (alone, beside)]
    assert warned[0] >= Severity.WARNING > warned[1]


def test_a_spike_near_zero_is_no_setback_of_a_run_that_came_from_high() -> None:
    train = falling(600, 2.5, 0.05, 12)
    train[400:402] *= 60
    train[402:] *= 1.5
    curves = run(train, noise=0.02)
    found = {f.code: f.variant for f in diagnose(curves).findings}
    assert found["spike"] == "recovered"


def test_one_jump_of_the_evals_is_no_oscillation() -> None:
    evals = falling(12, 2.4, 0.3, 5)
    evals[5:] += np.array([1.1, 0.7, 0.45, 0.3, 0.2, 0.12, 0.06])
    assert "oscillating" not in {t.code for t in diagnose(run(falling(600), evals)).history}


def test_a_collapse_that_took_thousands_of_steps_is_not_fast() -> None:
    quick = run(falling(400, 2.5, 0.01, 8), np.full(20, 2.4))
    slow = {key: (40 * np.asarray(steps), y) for key, (steps, y) in quick.items()}
    assert "fast_memorisation" in {f.code for f in diagnose(quick).findings}
    assert "fast_memorisation" not in {f.code for f in diagnose(slow).findings}


@pytest.mark.parametrize(("steps", "code"), [(300, "fast_memorisation"), (3000, "healthy")])
def test_a_short_run_that_collapses_without_an_eval_is_suspected(steps: int, code: str) -> None:
    engine = Engine()
    curves = {
        "train/loss": (np.arange(steps // 100, steps + 1, steps // 100), falling(100, 2.6, 0.1))
    }
    engine.feed(*columns(engine, curves))
    verdict = engine.diagnosis(ended=True).verdict
    assert verdict.code == code
    assert verdict.severity < Severity.WARNING


def test_an_explosion_leaves_a_loss_below_zero_its_scale() -> None:
    train = falling(600, 1.0, -1.5)
    train[300:302] = 1e6
    verdict = diagnose(run(train, -1.5 + falling(20, 2.4, 0.1), noise=0.0)).verdict
    assert verdict.code == "healthy"


def test_the_start_does_not_sink_as_a_run_grows() -> None:
    """A fast learner that then idles for long has learnt as much as ever."""
    level = 2.0 + 1.5 * np.exp(-np.arange(20_000) / 60)
    evals = 2.02 + 0.2 * np.exp(-np.arange(20) / 1.0)
    codes = {t.code for t in diagnose(run(level, evals, noise=0.01)).history}
    assert "converged" in codes
    assert not codes & {"plateau", "underfitting", "lr_too_low"}


def test_a_divergence_is_not_over_while_most_of_the_progress_is_lost() -> None:
    train = falling(600, 4.0, 2.0)
    train[300:] = 3.6 - 0.7 * np.linspace(0, 1, 300)
    verdict = diagnose(run(train, noise=0.01)).verdict
    assert (verdict.code, verdict.severity) == ("diverging", Severity.WARNING)


def climbing(level: float = 0.45, start: float = 3.0) -> Floats:
    """Falls for a hundred steps, lies still, then climbs by 1 % a step from step 150 on."""
    steps = np.arange(1, 261)
    down = level + (start - level) * np.exp(-steps / 20)
    return np.asarray(down * np.exp(0.01 * np.maximum(steps - 150, 0)))


def first_alarm(curves: dict[str, Curve]) -> int | None:
    """Step at which a divergence became the badge, None if it never did."""
    history = diagnose(curves).history
    return next((turn.step for turn in history if turn.code == "diverging"), None)


def test_a_slow_divergence_that_the_evals_share_is_told_before_all_is_lost() -> None:
    train = climbing()
    steps = np.arange(1, len(train) + 1)
    evals = steps[19::20]
    both: dict[str, Curve] = {
        "train/loss": (steps, noisy(train, 0.05)),
        "eval/loss": (evals, noisy(train[evals - 1] * 1.05, 0.01, seed=1)),
    }
    told = first_alarm(both)
    # Train and eval lie half above their best from step 190 on; the next eval is at 200.
    assert told is not None
    assert 190 <= told <= 220
    calm = {**both, "eval/loss": (evals, noisy(np.full(len(evals), 0.5), 0.01, seed=1))}
    assert first_alarm(calm) is None


def test_near_zero_a_joint_rise_is_nothing_lost() -> None:
    train = climbing(level=0.004)
    steps = np.arange(1, len(train) + 1)
    evals = steps[19::20]
    curves: dict[str, Curve] = {
        "train/loss": (steps, noisy(train, 0.05)),
        "eval/loss": (evals, train[evals - 1]),
    }
    assert first_alarm(curves) is None


def test_three_bad_batches_are_a_spike_and_no_divergence() -> None:
    assert "diverging" not in {
        turn.code for turn in diagnose(run(spiked(800, 500, 3, 60.0))).history
    }


def test_a_divergence_that_is_over_is_soon_left() -> None:
    curves = run(spiked(900, 500, 12, 40.0))
    history = diagnose(curves).history
    assert [turn.code for turn in history if turn.severity is Severity.CRITICAL] == ["diverging"]
    at = next(i for i, turn in enumerate(history) if turn.code == "diverging")
    assert history[at + 1].step < 560


def test_swings_that_a_run_has_survived_are_no_divergence() -> None:
    swings = 1.0 + 0.8 * np.sin(np.arange(800) / 25)
    history = diagnose(run(swings, noise=0.02)).history
    assert "diverging" not in {turn.code for turn in history if turn.step > 300}


def test_random_targets_are_a_mismatch_however_small_the_gap() -> None:
    verdict = diagnose(run(falling(600, 4.1, 3.9), falling(20, 3.9, 2.95), noise=0.01)).verdict
    assert verdict.code == "distribution_mismatch"


def test_a_small_bump_of_evals_that_still_fall_steeply_is_no_warning() -> None:
    evals = np.array([1.0, 0.85, 0.72, 0.61, 0.45, 0.5, 0.49])
    history = diagnose(run(falling(280), evals)).history
    assert max(turn.severity for turn in history) < Severity.WARNING


def test_batches_of_one_beside_steady_evals_are_no_oscillation() -> None:
    curves = run(falling(600), falling(30, 2.4, 0.5), noise=0.0)
    steps, level = curves["train/loss"]
    curves["train/loss"] = (steps, noisy(np.asarray(level), 1.0, seed=4))
    assert diagnose(curves).verdict.code == "healthy"


def facts(diagnosis: Diagnosis) -> dict[str, float | int | str]:
    return dict(diagnosis.verdict.facts)


def test_overfitting_stays_suspected_below_five_percent() -> None:
    evals = np.concatenate((falling(10, 2.4, 1.0, 8), [1.005, 1.01, 1.02, 1.035, 1.048]))
    verdict = diagnose(run(falling(600, end=0.4, pace=2), evals, noise=0.001)).verdict
    assert (verdict.code, verdict.variant, verdict.severity.word) == (
        "overfitting",
        "suspected",
        "notice",
    )


def test_both_losses_rising_is_not_overfitting() -> None:
    level = step_up(600, 0.7, 1.4)
    assert diagnose(run(level, level[::30])).verdict.code != "overfitting"


def test_overfitting_gives_the_numbers_of_its_sentence() -> None:
    told = facts(diagnose(run(falling(600, end=0.1), rising_late(20, 0.5))))
    assert told["rise_percent"] == pytest.approx(45, abs=8)
    assert told["best_step"] == pytest.approx(240, abs=60)


def test_a_higher_sensitivity_speaks_earlier() -> None:
    curves = run(falling(600, end=0.1), rising_late(30, 0.3))
    first = [
        next(t.step for t in diagnose(curves, level).history if t.code == "overfitting")
        for level in (0.5, 1.0, 2.0)
    ]
    assert first == sorted(first, reverse=True)
    assert first[0] > first[2]


def test_a_metric_that_improves_while_the_loss_rises_is_told_beside_it() -> None:
    curves = run(falling(600, end=0.1), rising_late(20, 0.5))
    steps = curves["eval/loss"][0]
    curves["eval/accuracy"] = (steps, np.linspace(0.5, 0.9, 20))
    codes = {(f.code, f.variant) for f in diagnose(curves).findings}
    assert ("metric_disagreement", "metric_better") in codes


def test_a_metric_that_gets_worse_while_the_loss_falls_is_told() -> None:
    curves = run(falling(600), falling(20, 2.4, 0.6))
    accuracy = np.concatenate((np.linspace(0.5, 0.9, 10), np.linspace(0.9, 0.6, 10)))
    curves["eval/accuracy"] = (curves["eval/loss"][0], accuracy)
    codes = {(f.code, f.variant) for f in diagnose(curves).findings}
    assert ("metric_disagreement", "metric_worse") in codes


@pytest.mark.parametrize(
    ("loss", "metric", "variants"),
    [
        pytest.param(1.08, 1.03, {"metric_better"}, id="both moved"),
        pytest.param(1.03, 1.03, set(), id="the loss hardly rose"),
        pytest.param(1.08, 1.006, set(), id="the metric hardly gained"),
        pytest.param(0.80, 0.92, {"metric_worse"}, id="the metric fell while the loss did"),
        pytest.param(0.96, 0.92, set(), id="the loss hardly fell"),
        pytest.param(0.80, 0.97, set(), id="the metric hardly fell"),
    ],
)
def test_loss_and_metric_disagree_from_a_limit_of_each_on(
    loss: float, metric: float, variants: set[str]
) -> None:
    """Both are at their best at half of the run, and change by a factor from there on."""
    later = np.linspace(0, 1, 10)[1:]
    evals = np.concatenate((falling(11, 2.4, 1.0, 8), 1 + (loss - 1) * later))
    scores = np.concatenate((np.linspace(0.5, 0.8, 11), 0.8 * (1 + (metric - 1) * later)))
    at = np.arange(30, 601, 30)
    curves: dict[str, Curve] = {
        "train/loss": run(falling(600))["train/loss"],
        "eval/loss": (at, evals),
        "eval/accuracy": (at, scores),
    }
    found = [f for f in diagnose(curves).findings if f.code == "metric_disagreement"]
    assert {finding.variant for finding in found} == variants


def test_a_rate_that_was_raised_is_named_beside_the_divergence() -> None:
    rate = np.where(np.arange(600) < 350, 1e-3, 1e-1)
    codes = {f.code for f in diagnose(with_rate(run(step_up(600, 0.6, 6.0)), rate)).findings}
    assert {"diverging", "lr_too_high"} <= codes


def test_a_loss_that_prints_one_number_is_frozen() -> None:
    level = noisy(falling(600), 0.05)
    level[-60:] = level[-61]
    found = diagnose({"train/loss": (STEPS, level)}).findings
    assert ("plateau", "frozen") in {(f.code, f.variant) for f in found}


def test_what_is_not_logged_is_named() -> None:
    missing = diagnose(run(falling(100))).missing
    assert set(missing) == {"no_eval_loss", "no_learning_rate"}
    assert "few_evals" in diagnose(run(falling(100), falling(2))).missing


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_evals_of_a_few_examples_that_scatter_beside_a_steady_train_level_are_no_swings(
    noise: float,
) -> None:
    curves = run(falling(600), noisy(falling(30, 2.4, 0.8), 0.25, seed=3), noise=noise)
    assert "oscillating" not in {finding.code for finding in diagnose(curves).findings}


def test_a_rise_that_the_evals_recovered_from_before_is_no_overfitting() -> None:
    evals = np.concatenate((falling(6, 2.0, 0.9), [0.5, 0.9, 0.8, 0.3, 0.55, 0.6, 0.55, 0.5]))
    verdict = diagnose(run(falling(600, end=0.2), evals, noise=0.3)).verdict
    assert verdict.code != "overfitting"


def test_a_rise_that_was_undone_since_the_best_eval_is_no_overfitting() -> None:
    evals = np.array([0.62, 0.65, 0.64, 0.7, 0.72, 0.73, 0.66, 0.64, 0.63, 0.69, 0.7, 0.71])
    verdict = diagnose(run(falling(600, 0.72, 0.64), evals, noise=0.03)).verdict
    assert verdict.code != "overfitting"


def test_lone_outliers_among_many_evals_hide_no_overfitting() -> None:
    evals = noisy(rising_late(300, 1.5, best=0.2), 0.08, seed=2)
    evals[[20, 40, 55]] *= 3
    codes = {finding.code for finding in diagnose(run(falling(600, end=0.01), evals)).findings}
    assert "overfitting" in codes


def test_many_evals_confirm_a_rise_of_a_few_percent() -> None:
    evals = np.concatenate((falling(60, 2.5, 1.0, 9), np.linspace(1.0, 1.045, 40)))
    verdict = diagnose(run(falling(600, end=0.05, pace=3), evals, noise=0.001)).verdict
    assert (verdict.code, verdict.severity) == ("overfitting", Severity.WARNING)


def test_a_rise_near_zero_that_nobody_sees_on_the_curve_is_not_confirmed() -> None:
    evals = np.concatenate((falling(20, 2.4, 0.04, 12), [0.043, 0.045, 0.046, 0.046, 0.047]))
    history = diagnose(run(falling(600, end=0.001, pace=6), evals, noise=0.001)).history
    assert max(turn.severity for turn in history) < Severity.WARNING


def test_a_loss_that_halves_near_zero_has_converged() -> None:
    level = 3.0 * np.exp(-12 * np.linspace(0, 1, 400) ** 0.6) + 0.01
    assert diagnose(run(level)).verdict.code == "converged"


def test_a_learning_rate_in_the_thousands_is_too_high_whatever_the_loss_does() -> None:
    curves = with_rate(run(falling(600)), np.linspace(4556, 111, 600))
    verdict = diagnose(curves).verdict
    assert (verdict.code, verdict.variant) == ("lr_too_high", "absurd")


def test_evals_that_fall_by_less_than_two_percent_are_no_descent() -> None:
    train = np.concatenate((falling(20, 3.2, 2.75, 6), np.full(180, 2.75)))
    curves = run(train, noise=0.03)
    curves["eval/loss"] = (np.arange(25, 201, 25), 2.74 + 0.016 * np.exp(-np.arange(8) / 3))
    assert diagnose(curves).verdict.code in {"plateau", "underfitting"}


def test_a_train_loss_near_zero_that_jitters_beside_high_evals_has_not_diverged() -> None:
    evals = noisy(np.concatenate((falling(60, 1.8, 1.0), np.linspace(1.0, 2.4, 200))), 0.2, seed=1)
    train = noisy(falling(260, 1.8, 0.01, 60), 0.8, seed=2)
    steps = np.arange(1, 261)
    curves: dict[str, Curve] = {"train/loss": (steps, train), "eval/loss": (steps, evals)}
    history = diagnose(curves).history
    assert "diverging" not in {turn.code for turn in history}
    assert history[-1].code == "overfitting"


def test_overfitting_is_not_left_for_the_other_name_of_learning_by_heart() -> None:
    evals = np.concatenate((falling(10, 2.4, 1.6), np.linspace(1.62, 2.4, 6), np.full(30, 2.35)))
    evals[16::3] = 1.7
    codes = [turn.code for turn in diagnose(run(falling(300, 2.5, 0.01, 8), evals)).history]
    at = codes.index("overfitting") if "overfitting" in codes else len(codes)
    assert "fast_memorisation" not in codes[at:]


@pytest.mark.parametrize("seed", [0, 10, 40])
def test_evals_on_a_handful_of_examples_near_zero_raise_no_alarm(seed: int) -> None:
    curves = run(falling(400, end=0.03, pace=6), noise=0.03)
    curves["eval/loss"] = (np.arange(10, 401, 10), noisy(falling(40, 2.0, 0.08, 14), 0.5, seed))
    assert max(turn.severity for turn in diagnose(curves).history) < Severity.WARNING


@pytest.mark.parametrize(
    ("train", "evals", "code"),
    [
        (np.linspace(4.71, 4.36, 40), np.linspace(4.62, 4.36, 40), "lr_too_low"),
        (falling(14, 2.3, 0.3, 20), falling(14, 2.2, 0.4, 20), "converged"),
        (falling(9, 1.95, 1.71, 20), np.linspace(1.732, 1.71, 9), "underfitting"),
    ],
)
def test_a_finished_run_is_judged_by_what_it_has(train: Floats, evals: Floats, code: str) -> None:
    engine = Engine()
    every = 20 * np.arange(1, len(train) + 1)
    engine.feed(*columns(engine, {"train/loss": (every, train), "eval/loss": (every, evals)}))
    assert engine.diagnosis(ended=True).verdict.code == code


@pytest.mark.parametrize(("ended", "code"), [(True, "underfitting"), (False, "healthy")])
def test_a_short_fine_tune_is_called_stuck_once_it_is_over(ended: bool, code: str) -> None:
    curves = run(np.full(83, 3.7), np.full(6, 3.65), noise=0.03)
    assert diagnose(curves, ended=ended).verdict.code == code


@pytest.mark.parametrize(("warm_up", "expected"), [(100, "healthy"), (40, "underfitting")])
def test_a_run_that_ends_with_its_warm_up_is_not_called_stuck(warm_up: int, expected: str) -> None:
    rates = 1e-3 * np.minimum(np.arange(1, 109) / warm_up, 1.0)
    curves = with_rate(run(np.linspace(10.7, 10.5, 108)), rates)
    finding = diagnose(curves, ended=True).verdict
    assert finding.code == expected
    if expected == "healthy":
        assert (finding.variant, finding.severity) == ("warm_up", Severity.NEUTRAL)


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_level_that_goes_up_and_down_again_and_again_oscillates(scheduled: bool) -> None:
    waves = np.sin(STEPS / 15)
    curves = run(1 + 0.45 * waves + 1.5 * np.exp(-STEPS / 20), noise=0.08)
    if scheduled:
        curves = with_rate(curves, 1e-3 * (1.1 + waves))
    assert (diagnose(curves).verdict.code == "oscillating") is not scheduled


def test_five_epochs_of_which_each_is_worse_diverge() -> None:
    losses = np.array([1.8, 1.7, 2.1, 2.6, 3.4])
    curves = {"train/loss": (STEPS[:5], losses), "eval/loss": (STEPS[:5], 1.1 * losses)}
    assert diagnose(curves).verdict.code == "diverging"


def test_a_finished_run_that_never_moved_is_stuck_however_short() -> None:
    engine = Engine()
    engine.feed(*columns(engine, run(np.full(17, 0.65), every=20, noise=0.015)))
    assert engine.diagnosis().verdict.code == "healthy"
    assert engine.diagnosis(ended=True).verdict.code == "underfitting"


@pytest.mark.parametrize(("late", "stays"), [(0.4, True), (0.05, False)])
def test_an_oscillation_is_over_when_the_swings_are_gone(late: float, stays: bool) -> None:
    scatter = np.where(np.arange(400) < 200, 0.7, late)
    level = falling(400) * np.exp(scatter * np.random.default_rng(1).standard_normal(400))
    codes = [turn.code for turn in diagnose({"train/loss": (range(1, 401), level)}).history]
    assert codes[2:] == ["oscillating"] + ["healthy"] * (not stays)


@pytest.mark.parametrize(
    ("drops", "factor", "total", "ended", "confirmed"),
    [
        pytest.param((250, 500), 0.1, 1000, False, False, id="one more drop is due"),
        pytest.param((250, 500), 0.1, 1000, True, True, id="the run is over"),
        pytest.param((250, 500), 0.1, None, False, True, id="the end is not known"),
        pytest.param((250, 500), 0.1, 760, False, True, id="the run ends at the next drop"),
        pytest.param((250, 375), 0.1, 1000, False, True, id="the intervals differ"),
        pytest.param((350,), 0.1, 1000, False, True, id="one drop is no rhythm"),
        pytest.param((200, 400), 0.1, 1000, False, True, id="the next drop did not come"),
        pytest.param((250, 500), 0.9, 1000, False, True, id="a slow decay"),
        pytest.param((), 0.1, 1000, False, True, id="a constant rate"),
    ],
)
def test_overfitting_waits_for_a_drop_of_the_rate_that_is_due(
    drops: tuple[int, ...], factor: float, total: int | None, ended: bool, confirmed: bool
) -> None:
    curves = run(falling(700, end=0.1), rising_late(20, 0.5))
    rate = 0.1 * factor ** sum(np.arange(700) >= drop for drop in drops) * np.ones(700)
    rate[:5] *= np.linspace(0.2, 1, 5)
    found = diagnose(with_rate(curves, rate), total=total, ended=ended).verdict
    assert (found.code, found.severity is Severity.WARNING) == ("overfitting", confirmed)


def test_an_optimizer_that_sees_all_data_and_reaches_its_minimum_has_converged() -> None:
    steps = np.arange(1, 81)
    settled = np.round(0.5 + 2.5 * 0.6**steps, 4)
    assert (
        diagnose({"train/loss": (steps, settled), "eval/loss": (steps, settled + 0.1)}).verdict.code
        == "converged"
    )


def test_evals_of_few_examples_do_not_hide_that_the_train_loss_has_settled() -> None:
    steps = 46 * np.arange(1, 61)
    train = noisy(0.2 + 12 * 0.7 ** np.arange(60), 0.004)
    evals = noisy(0.2 + 8 * 0.7 ** np.arange(60), 0.4, seed=3)
    assert (
        diagnose({"train/loss": (steps, train), "eval/loss": (steps, evals)}).verdict.code
        == "converged"
    )


def test_both_losses_of_a_few_epochs_that_blow_up_have_diverged() -> None:
    steps = 140 * np.arange(1, 5)
    curves = {
        "train/loss": (steps, [0.69, 0.66, 0.6, 768.0]),
        "eval/loss": (steps, [0.69, 0.66, 0.59, 520.0]),
    }
    verdict = diagnose(curves).verdict
    assert (verdict.code, verdict.since_step) == ("diverging", 560)
    curves["eval/loss"] = (steps, [0.69, 0.66, 0.59, 0.58])
    assert diagnose(curves).verdict.code != "diverging"


@pytest.mark.parametrize(
    "last, variant", [(np.full(8, 3.0), ""), (2.9 * 0.95 ** np.arange(8), "recovering")]
)
def test_evals_that_stand_still_after_a_blow_up_are_not_on_their_way_back(
    last: Floats, variant: str
) -> None:
    train = np.concatenate((falling(60, 2.5, 0.4), np.full(10, 40.0), np.repeat(last, 5)))
    evals = np.concatenate((falling(12, 2.5, 0.4), [40.0, 40.0], last))
    steps = np.arange(1, len(train) + 1)
    curves = {
        "train/loss": (10 * steps, noisy(train, 0.01)),
        "eval/loss": (50 * np.arange(1, 23), evals),
    }
    verdict = diagnose(curves).verdict
    assert (verdict.code, verdict.variant) == ("diverging", variant)
