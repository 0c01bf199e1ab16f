"""Whatever is fed, the engine answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossmon.diagnosis.advice import advise
from lossmon.diagnosis.engine import Engine
from lossmon.locale import languages
from lossmon.types import Diagnosis
from tests.diagnosis.feeding import ORDER, TRAIN

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
HUGE = st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, np.nan, np.inf, -np.inf, 1.0, -1.0])
POINT = st.tuples(st.integers(-1, 6), st.integers(0, 2**62), ANY | HUGE)


def say(diagnosis: Diagnosis) -> None:
    """Put every finding in words, as the screen will."""
    for finding in diagnosis.findings:
        for language in languages():
            assert advise(finding, language).evidence


@settings(max_examples=120, deadline=None)
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
        engine.feed(np.array([number]), np.array([step]), np.array([value]), np.array([np.nan]))
    say(engine.diagnosis())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), ANY | HUGE), min_size=1, max_size=300))
def test_one_call_and_many_give_the_same(points: list[tuple[int, float]]) -> None:
    numbers = np.array([number for number, _ in points])
    values = np.array([value for _, value in points])
    steps = np.arange(len(points))
    engines = [Engine(), Engine()]
    for engine in engines:
        for meaning in ORDER:
            engine.channel(meaning, headline=True)
    clock = np.full(len(points), np.nan)
    engines[0].feed(numbers, steps, values, clock)
    for at in range(len(points)):
        one = slice(at, at + 1)
        engines[1].feed(numbers[one], steps[one], values[one], clock[one])
    assert engines[0].diagnosis() == engines[1].diagnosis()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.zeros(400), id="zeros"),
        pytest.param(np.full(400, 3.0), id="constant"),
        pytest.param(np.full(400, np.nan), id="all NaN"),
        pytest.param(np.full(400, np.inf), id="all infinite"),
        pytest.param(np.full(400, 1e300), id="huge"),
        pytest.param(np.full(400, -1e300), id="hugely negative"),
        pytest.param(np.full(400, 1e-320), id="denormal"),
        pytest.param(np.tile([1e300, -1e300], 200), id="both signs"),
        pytest.param(np.tile([0.0, 1.0], 200), id="zero and one"),
        pytest.param(np.array([2.0]), id="one point"),
        pytest.param(np.empty(0), id="none"),
        pytest.param(-np.linspace(0, 5, 400), id="falling below zero"),
    ],
)
@pytest.mark.parametrize("with_evals", [False, True])
def test_strange_curves_are_answered(values: np.ndarray, with_evals: bool) -> None:
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    other = engine.channel(ORDER[3], headline=True)
    n = len(values)
    engine.feed(np.full(n, number), np.arange(n), values, np.full(n, np.nan))
    if with_evals:
        engine.feed(np.full(n, other), np.arange(n), values, np.full(n, np.nan))
    say(engine.diagnosis())


def test_steps_may_go_back_without_notice() -> None:
    engine = Engine()
    number = engine.channel(TRAIN, headline=True)
    steps = np.random.default_rng(0).integers(0, 50, 500)
    engine.feed(np.full(500, number), steps, np.linspace(3, 1, 500), np.full(500, np.nan))
    say(engine.diagnosis())
