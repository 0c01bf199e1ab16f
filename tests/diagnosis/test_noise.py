"""Chance and noise: how improbable a height is, and how far it must be where noise is unsure."""

from __future__ import annotations

import pytest

from lossmon.diagnosis.noise import at_least, with_unsure_noise


@pytest.mark.parametrize(
    ("deviations", "freedom", "quantile"), [(3.0, 10, 3.957), (3.0, 30, 3.270), (2.0, 5, 2.649)]
)
def test_noise_of_few_values_asks_for_the_quantile_of_students_t(
    deviations: float, freedom: float, quantile: float
) -> None:
    assert with_unsure_noise(deviations, freedom) == pytest.approx(quantile, rel=0.02)


def test_known_noise_asks_for_no_more() -> None:
    assert with_unsure_noise(3.5, 1e9) == pytest.approx(3.5)


def test_chance_of_several_events() -> None:
    assert at_least(2, 3, 0.5) == pytest.approx(0.5)
    assert at_least(0, 3, 0.1) == pytest.approx(1.0)
    assert at_least(3, 3, 0.1) == pytest.approx(0.001)
