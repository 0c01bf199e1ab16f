"""Whatever is fed, the engine answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.diagnosis.engine import Engine
from lossmon.types import Floats
from tests.diagnosis.feeding import ORDER, TRAIN, assert_sound, diagnose

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
HUGE = st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, np.nan, np.inf, -np.inf, 1.0, -1.0])
POINT = st.tuples(st.integers(-1, 6), st.integers(0, 2**62), ANY | HUGE)


@given(st.lists(POINT, max_size=120), st.lists(st.integers(0, 120), max_size=4))
def test_no_sequence_of_points_raises(
    points: list[tuple[int, int, float]], restarts: list[int]
) -> None:
    engine = Engine()
    for meaning in ORDER:
        engine.channel(meaning, headline=True)
    for at, (number, step, value) in enumerate(points):
        if at in restarts:
            engine.restart(step // 2)
        engine.feed(np.array([number]), np.array([step]), np.array([value]))
    assert_sound(engine.diagnosis())


@given(st.lists(st.tuples(st.integers(0, 4), ANY | HUGE), min_size=1, max_size=300))
def test_one_call_and_many_give_the_same(points: list[tuple[int, float]]) -> None:
    numbers = np.array([number for number, _ in points])
    values = np.array([value for _, value in points])
    steps = np.arange(len(points))
    engines = [Engine(), Engine()]
    for engine in engines:
        for meaning in ORDER:
            engine.channel(meaning, headline=True)
    engines[0].feed(numbers, steps, values)
    for at in range(len(points)):
        one = slice(at, at + 1)
        engines[1].feed(numbers[one], steps[one], values[one])
    assert engines[0].diagnosis() == engines[1].diagnosis()


Shape = Callable[[Floats, np.random.Generator], Floats]

SHAPES: dict[str, Shape] = {
    "zeros": lambda x, _: 0 * x,
    "constant": lambda x, _: 0 * x + 1,
    "falling": lambda x, _: 0.5 + 2 * np.exp(-4 * x),
    "falling to zero": lambda x, _: np.maximum(1 - 2 * x, 0),
    "zero, then a jump": lambda x, _: np.where(np.abs(x - 0.8) < 0.01, 1.0, 0.0),
    "negative": lambda x, _: -0.5 - 2 * np.exp(-4 * x),
    "through zero": lambda x, _: 2 - 4 * x,
    "both signs": lambda x, _: np.where(np.arange(len(x)) % 2, 1.0, -1.0),
    "zero and one": lambda x, _: np.arange(len(x)) % 2 * 1.0,
    "rising": lambda x, _: np.expm1(8 * x),
    "valley": lambda x, _: np.exp(6 * np.abs(x - 0.5)),
    "noise": lambda x, random: random.standard_normal(len(x)),
    "walk": lambda x, random: np.cumsum(random.standard_normal(len(x))),
    "any magnitude": lambda x, random: 10.0 ** random.uniform(-320, 300, len(x)),
    "extremes": lambda x, random: random.choice([0.0, 5e-324, 1.0, 1e300, -1e300], len(x)),
    "now and then not finite": lambda x, random: np.where(
        random.uniform(size=len(x)) < 0.02, np.nan, 1 - x
    ),
}
SCALES = (5e-324, 1e-300, 1.0, 1e300)
SIZES = (1, 2, 6, 40, 200)


def shaped(shape: str, scale: float, n: int) -> Floats:
    random = np.random.default_rng(n)
    with np.errstate(all="ignore"):
        return np.asarray(SHAPES[shape](np.linspace(0, 1, n), random) * scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", SHAPES)
def test_any_series_gives_finite_facts(shape: str, scale: float) -> None:
    for n in SIZES:
        steps, values = np.arange(n), shaped(shape, scale, n)
        every = slice(None, None, 1 + n // 30)
        assert_sound(diagnose({"train/loss": (steps, values)}))
        assert_sound(diagnose({"eval/loss": (steps[every], values[every])}))


@pytest.mark.parametrize("apart", range(0, len(SHAPES), 3))
@pytest.mark.parametrize("train", SHAPES)
def test_any_two_series_give_finite_facts(train: str, apart: int) -> None:
    names = list(SHAPES)
    evals = names[(names.index(train) + apart) % len(names)]
    first, second = ((1.0, 1.0), (1e-300, 1.0), (1.0, 1e300))[apart // 3 % 3]
    n = 120
    steps = np.arange(n)
    curves = {
        "train/loss": (steps, shaped(train, first, n)),
        "eval/loss": (steps[::10], shaped(evals, second, n)[::10]),
        "eval/accuracy": (steps[::10], shaped(evals, 1.0, n)[::10]),
        "learning_rate": (steps, np.linspace(1e-3, 0, n)),
    }
    assert_sound(diagnose(curves))


@pytest.mark.parametrize("shape", ["zeros", "both signs", "valley", "any magnitude", "extremes"])
def test_a_million_points_give_finite_facts(shape: str) -> None:
    n = 1_000_000
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    engine.feed(np.full(n, number), np.arange(n), shaped(shape, 1.0, n))
    assert_sound(engine.diagnosis())


def test_no_points_are_judged_too() -> None:
    assert_sound(diagnose({}))
    assert_sound(diagnose({"train/loss": (np.empty(0), np.empty(0))}))


def test_steps_may_go_back_without_notice() -> None:
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    steps = np.random.default_rng(0).integers(0, 50, 500)
    engine.feed(np.full(500, number), steps, np.linspace(3, 1, 500))
    assert_sound(engine.diagnosis())
