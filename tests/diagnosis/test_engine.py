"""The engine: any chunking, restarts, broken numbers, kinds of loss, cost."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from lossmon.diagnosis.engine import Engine
from lossmon.diagnosis.indexed_points import Alarm
from lossmon.types import Floats, Kind, Meaning, Severity, Split
from tests.diagnosis.feeding import (
    ACCURACY,
    EVAL,
    GRADIENT,
    RATE,
    TRAIN,
    Columns,
    Curve,
    columns,
    diagnose,
    falling,
    noisy,
    run,
)


def a_long_run() -> dict[str, Curve]:
    """A run with every sort of series, an overfit and a NaN at the end."""
    n = 3000
    steps = np.arange(n)
    train = noisy(falling(n, end=0.1), 0.2)
    train[-1] = np.nan
    places = np.arange(29, n, 30)
    evals = noisy(falling(100, 2.4, 0.8, 12) * np.linspace(0.9, 1.3, 100), 0.01)
    return {
        "train/loss": (steps, train),
        "eval/loss": (places, evals),
        "learning_rate": (steps, np.full(n, 1e-3)),
        "grad_norm": (steps, noisy(np.ones(n), 0.3)),
        "eval/accuracy": (places, np.linspace(0.3, 0.8, 100)),
    }


def fed(cuts: list[int]) -> Engine:
    engine = Engine()
    whole = columns(engine, a_long_run())
    for part in zip(*(np.split(column, cuts) for column in whole), strict=True):
        engine.feed(*part)
    return engine


@pytest.mark.parametrize("seed", range(6))
def test_any_chunking_gives_the_same_diagnosis(seed: int) -> None:
    random = np.random.default_rng(seed)
    cuts = np.sort(random.integers(0, 9000, random.integers(1, 400))).tolist()
    assert fed(cuts).diagnosis() == fed([]).diagnosis()


def test_point_by_point_gives_the_same_diagnosis() -> None:
    assert fed(list(range(1, 9200))).diagnosis() == fed([]).diagnosis()


def test_asking_changes_nothing() -> None:
    engine = Engine()
    whole = columns(engine, a_long_run())
    for part in zip(*(np.array_split(column, 200) for column in whole), strict=True):
        engine.feed(*part)
        engine.diagnosis()
    assert engine.diagnosis() == fed([]).diagnosis()


@pytest.mark.parametrize("cuts", [[], [230], [200, 201, 260], [199, 230, 290]])
def test_a_loss_that_stands_still_across_calls_is_counted_on(cuts: list[int]) -> None:
    train = noisy(falling(300), 0.05)
    train[200:] = train[200]
    engine = Engine()
    whole = columns(engine, {"train/loss": (np.arange(300), train)})
    for part in zip(*(np.split(column, cuts) for column in whole), strict=True):
        engine.feed(*part)
    (frozen,) = (f for f in engine.diagnosis().findings if f.variant == "frozen")
    assert frozen.facts["times"] == 100


def test_nothing_fed_is_warming_up() -> None:
    assert Engine().diagnosis().verdict.code == "warming_up"
    assert Engine().diagnosis().history == ()


def test_one_key_has_one_number() -> None:
    engine = Engine()
    numbers = [engine.channel(meaning, headline=True) for meaning in (TRAIN, EVAL, RATE)]
    assert numbers == [engine.channel(m, headline=True) for m in (TRAIN, EVAL, RATE)]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize(
    ("meaning", "wanted"),
    [
        pytest.param(TRAIN, True, id="train loss"),
        pytest.param(EVAL, True, id="eval loss"),
        pytest.param(RATE, True, id="learning rate"),
        pytest.param(GRADIENT, True, id="gradient norm"),
        pytest.param(ACCURACY, True, id="eval accuracy"),
        pytest.param(Meaning("train/reward", "reward"), True, id="reward"),
        pytest.param(Meaning("tokens", "tokens", kind=Kind.THROUGHPUT), False, id="throughput"),
        pytest.param(
            Meaning("train/loss_mean", "mean", kind=Kind.LOSS, summary=True), False, id="summary"
        ),
    ],
)
def test_it_wants_what_can_change_a_verdict(meaning: Meaning, wanted: bool) -> None:
    assert Engine().wants(meaning) is wanted


def test_a_loss_that_is_not_the_headline_changes_nothing() -> None:
    engine = Engine()
    part = engine.channel(Meaning("train/box", "box", kind=Kind.LOSS, part="box"), headline=False)
    engine.feed(*_column(part, np.full(50, np.nan)))
    assert engine.diagnosis().verdict.code == "warming_up"


def test_the_headline_is_judged_as_a_loss_even_if_its_name_is_a_policys() -> None:
    engine = Engine()
    number = engine.channel(replace(TRAIN, key="train/entropy_loss"), headline=True)
    engine.feed(*_column(number, np.array([2.0, 1.9, np.nan])))
    assert engine.diagnosis().verdict.code == "non_finite"


def _column(number: int, values: Floats) -> Columns:
    n = len(values)
    return np.full(n, number), np.arange(n), values


@pytest.mark.parametrize("at", [0, 1, 7, 500, 999])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_broken_loss_is_critical_at_its_own_step(at: int, value: float) -> None:
    train = falling(1000)
    train[at] = value
    engine = Engine()
    engine.feed(*_column(engine.channel(TRAIN, headline=True), train))
    turns = [turn for turn in engine.diagnosis().history if turn.code == "non_finite"]
    assert [(turn.step, turn.severity) for turn in turns] == [(at, Severity.CRITICAL)]


def test_a_loss_of_zero_with_a_broken_gradient_is_a_hidden_nan() -> None:
    train, gradient = falling(200), np.ones(200)
    train[150:], gradient[150:] = 0.0, np.nan
    steps = np.arange(200)
    diagnosis = diagnose({"train/loss": (steps, train), "grad_norm": (steps, gradient)})
    verdict, last = diagnosis.verdict, diagnosis.history[-1]
    assert (verdict.code, verdict.variant, verdict.since_step) == ("non_finite", "masked", 150)
    assert (last.code, last.step) == ("non_finite", 150)


def test_a_loss_of_zero_with_a_sound_gradient_is_no_nan() -> None:
    steps = np.arange(200)
    curves = {"train/loss": (steps, np.zeros(200)), "grad_norm": (steps, np.ones(200))}
    assert diagnose(curves).verdict.code != "non_finite"


def test_a_lone_broken_gradient_is_ordinary() -> None:
    gradient = np.ones(300)
    gradient[100] = np.inf
    steps = np.arange(300)
    curves = {"train/loss": (steps, falling(300)), "grad_norm": (steps, gradient)}
    assert "non_finite" not in {turn.code for turn in diagnose(curves).history}


def test_a_series_of_broken_gradients_is_a_warning() -> None:
    gradient = np.ones(300)
    gradient[250:] = np.nan
    steps = np.arange(300)
    curves = {"train/loss": (steps, falling(300)), "grad_norm": (steps, gradient)}
    found = {(f.code, f.variant): f.severity for f in diagnose(curves).findings}
    assert found["non_finite", "gradient"] is Severity.WARNING


def test_a_restart_voids_what_is_logged_again() -> None:
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    level = falling(400)
    broken = np.concatenate((level[:300], np.full(20, 60.0)))
    engine.feed(*_column(number, broken))
    assert engine.diagnosis().verdict.code == "diverging"
    engine.restart(250)
    rest = level[250:]
    engine.feed(np.full(150, number), 250 + np.arange(150), rest)
    assert engine.diagnosis().verdict.code == "healthy"


def test_a_resumed_run_is_never_warned_of() -> None:
    engine = Engine()
    numbers = [engine.channel(meaning, headline=True) for meaning in (TRAIN, EVAL)]
    level = noisy(falling(400), 0.05)
    for start, end in ((0, 260), (200, 400)):
        if start:
            engine.restart(start)
        steps = np.arange(start, end)
        engine.feed(np.full(len(steps), numbers[0]), steps, level[start:end])
        places = steps[steps % 20 == 0]
        engine.feed(np.full(len(places), numbers[1]), places, 1.1 * level[places])
    assert max(turn.severity for turn in engine.diagnosis().history) < Severity.WARNING


def test_a_restart_far_back_is_survived_before_its_first_train_point() -> None:
    engine = Engine()
    numbers = [engine.channel(meaning, headline=True) for meaning in (TRAIN, EVAL)]
    engine.feed(*_column(numbers[0], falling(400)))
    engine.restart(200)
    engine.feed(np.full(8, numbers[1]), 200 + np.arange(8), falling(8))
    assert engine.diagnosis().verdict.code == "healthy"


@pytest.mark.parametrize("points", [100, 600])
def test_a_restart_at_the_first_steps_of_a_long_run_is_judged_on(points: int) -> None:
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    engine.feed(*_column(number, noisy(falling(20_000), 0.1)))
    engine.restart(1)
    rising = 2.5 * np.exp(np.clip(np.arange(points) - 50, 0, None) / 20)
    engine.feed(np.full(points, number), 1 + np.arange(points), rising)
    assert engine.diagnosis().verdict.code == "diverging"


def test_a_break_before_a_restart_is_forgotten_with_its_points() -> None:
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    engine.feed(*_column(number, np.array([2.0, 1.9, np.nan])))
    engine.restart(1)
    assert "non_finite" not in {f.code for f in engine.diagnosis().findings}


def test_late_evals_are_taken_in() -> None:
    engine = Engine()
    numbers = [engine.channel(meaning, headline=True) for meaning in (TRAIN, EVAL)]
    level = falling(400)
    for step in range(400):
        engine.feed(np.array(numbers[:1]), np.array([step]), level[step : step + 1])
        if step % 40 == 5 and step > 5:
            late = np.array([step - 5])
            engine.feed(np.array([numbers[1]]), late, 1.1 * level[late])
    assert engine.diagnosis().verdict.code == "healthy"


@pytest.mark.parametrize(
    ("key", "missing"),
    [
        pytest.param("train/reward", "reward_loss", id="reinforcement learning"),
        pytest.param("train/d_loss", "adversarial_loss", id="two networks"),
        pytest.param("train/rewards/margins", "preference_loss", id="preferences"),
    ],
)
def test_a_loss_that_says_little_raises_no_alarm(key: str, missing: str) -> None:
    engine = Engine()
    engine.channel(Meaning(key, key, Split.TRAIN, Kind.METRIC), headline=False)
    curves = run(falling(600, end=0.1), np.linspace(1.0, 3.0, 20))
    engine.feed(*columns(engine, curves))
    diagnosis = engine.diagnosis()
    assert missing in diagnosis.missing
    assert diagnosis.verdict.severity <= Severity.OK


@pytest.mark.parametrize(
    "keys",
    [
        ("train/lossd", "train/lossg"),
        ("train/netd_loss", "train/netg_loss"),
        ("train/loss_dis", "train/loss_gen"),
        ("train/disc_loss", "train/gen_loss"),
        ("train/real_loss", "train/fake_loss"),
    ],
    ids="/".join,
)
def test_losses_of_two_networks_are_known_by_their_abbreviations(keys: tuple[str, str]) -> None:
    engine = Engine()
    for key in keys:
        engine.channel(Meaning(key, key, Split.TRAIN, Kind.LOSS), headline=False)
    engine.feed(*columns(engine, run(0.6 + 0.0 * falling(600), falling(20))))
    assert "adversarial_loss" in engine.diagnosis().missing


@pytest.mark.parametrize("prints", [4, 10, 60])
def test_a_loss_that_is_added_up_over_an_epoch_is_not_called_diverging(prints: int) -> None:
    losses = noisy(falling(6 * prints, 2.4, 0.4), 0.03).reshape(6, prints)
    engine = Engine()
    engine.feed(*columns(engine, run(losses.cumsum(1).ravel(), noise=0.0)))
    diagnosis = engine.diagnosis()
    assert (diagnosis.verdict.code, diagnosis.verdict.variant) == ("not_judged", "summed")
    assert all(one.severity <= Severity.OK for one in diagnosis.history)


def test_a_loss_that_rises_by_more_and_more_is_no_sum() -> None:
    engine = Engine()
    engine.feed(*columns(engine, run(2.4 * np.exp(np.arange(30) / 10), noise=0.0)))
    assert engine.diagnosis().verdict.code == "diverging"


@pytest.mark.parametrize(
    "key",
    [
        "gen_loss",
        "dis_loss",
        "real_loss",
        "eval_hard_loss",
        "eval/held_loss",
        "train/seg_loss",
        "loss_dice",
        "grad_loss",
    ],
)
def test_a_name_that_ends_like_a_loss_of_two_networks_is_an_ordinary_loss(key: str) -> None:
    engine = Engine()
    engine.channel(Meaning(key, key, Split.EVAL, Kind.LOSS), headline=False)
    engine.feed(*columns(engine, run(falling(600), falling(20, 2.4, 0.6))))
    diagnosis = engine.diagnosis()
    assert "adversarial_loss" not in diagnosis.missing
    assert diagnosis.verdict.variant == ""


@pytest.mark.parametrize(
    "first", ["eval_rewards/rejected", "logps/rejected", "train/rewards_margins", "reward_accuracy"]
)
def test_preferences_are_told_from_rewards_whichever_series_comes_first(first: str) -> None:
    engine = Engine()
    for key in (first, "train/rewards/chosen"):
        engine.channel(Meaning(key, key, Split.TRAIN, Kind.METRIC), headline=False)
    engine.feed(*columns(engine, run(falling(600), falling(20, 2.4, 0.6))))
    assert "preference_loss" in engine.diagnosis().missing


@pytest.mark.parametrize(("end", "found"), [(0.4, True), (0.9, False)])
def test_a_preference_loss_overfits_only_where_its_metric_gets_worse(
    end: float, found: bool
) -> None:
    engine = Engine()
    engine.channel(Meaning("train/rewards/margins", "margins"), headline=False)
    curves = run(falling(600, end=0.1), np.concatenate((falling(8), np.linspace(0.6, 2.0, 12))))
    accuracy = np.concatenate((np.linspace(0.3, 0.7, 8), np.linspace(0.7, end, 12)))
    curves["eval/accuracy"] = (curves["eval/loss"][0], accuracy)
    engine.feed(*columns(engine, curves))
    assert ("overfitting" in {f.code for f in engine.diagnosis().findings}) is found


def test_a_preference_loss_that_blows_up_is_still_seen() -> None:
    engine = Engine()
    engine.channel(Meaning("train/rewards/margins", "margins"), headline=False)
    train = falling(300)
    train[200] = np.nan
    engine.feed(*columns(engine, {"train/loss": (np.arange(300), train)}))
    assert engine.diagnosis().verdict.code == "non_finite"


def test_the_first_points_above_an_alarm_call_for_a_judgement_later_ones_seldom() -> None:
    alarm = Alarm(1.0)
    assert not alarm.add(1.0)
    due = []
    for n in range(1, 33):
        expected = alarm.until_due == 1
        assert alarm.add(1.1) is expected
        due += [n] * expected
    assert due == [1, 2, 3, 4, 8, 16, 32]


@pytest.mark.parametrize(("level", "due"), [(1.04, 8), (1.06, 1), (0.9, 1)])
def test_an_alarm_that_hardly_moves_counts_on(level: float, due: int) -> None:
    alarm = Alarm(1.0, count=8)
    alarm.move(level)
    assert (alarm.level, alarm.until_due) == (level, due)


@pytest.mark.parametrize("at", [163, 165])
def test_a_leap_of_the_evals_is_judged_at_once_however_many_there_were(at: int) -> None:
    evals = noisy(falling(170, 2.4, 0.6), 0.003, seed=1)
    evals[at:] *= 3
    curves = run(falling(1700))
    curves["eval/loss"] = (np.arange(10, 1701, 10), evals)
    turns = [turn.step for turn in diagnose(curves).history if turn.code == "overfitting"]
    assert turns and turns[0] <= 10 * (at + 3)


def test_memory_does_not_grow_with_the_run() -> None:
    def size(n: int) -> int:
        engine = Engine()
        steps = np.arange(n)
        engine.feed(*columns(engine, {"train/loss": (steps, noisy(falling(n), 0.1))}))
        engine.diagnosis()
        return len(pickle.dumps(engine))

    assert size(100_000) < 1.05 * size(2_000)


def test_a_million_points_at_once_are_judged() -> None:
    n = 1_000_000
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    level = noisy(falling(n), 0.1)
    engine.feed(*_column(number, level))
    assert engine.diagnosis().verdict.code == "healthy"


def test_a_line_of_both_losses_is_judged_once() -> None:
    """An epoch's train loss alone, before its eval loss comes, is half of the news."""
    level = np.concatenate((falling(12, 2.0, 1.9), [2.02, 1.9, 1.9]))
    curves = {"train/loss": (np.arange(15), level), "eval/loss": (np.arange(15), level)}
    engine = Engine()
    seen = []
    for number, step, value in zip(*columns(engine, curves), strict=True):
        engine.feed(*(np.array([column]) for column in (number, step, value)))
        seen.append(len(engine.diagnosis().history))
    grown = {at for at in range(1, len(seen)) if seen[at] > seen[at - 1]}
    assert all(at % 2 or at <= 4 for at in grown)
