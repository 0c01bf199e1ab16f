"""A forecast is right within its interval, or it is not given."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.types import Floats, Forecast
from tests.diagnosis.feeding import Curve, diagnose, noisy


def foretold(
    train: Floats, total: int | None, noise: float = 0.02, rate: Floats | None = None
) -> Forecast | None:
    steps = np.arange(1, len(train) + 1)
    curves: dict[str, Curve] = {"train/loss": (steps, noisy(train, noise))}
    if rate is not None:
        curves["learning_rate"] = (steps, rate)
    return diagnose(curves, total=total).forecast


def power_law(n: int, floor: float = 1.2, scale: float = 6.0, exponent: float = 0.4) -> Floats:
    return np.asarray(floor + scale * (1.0 + np.arange(n)) ** -exponent)


@pytest.mark.parametrize("share", [0.45, 0.6, 0.8])
@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.8])
def test_the_end_of_a_power_law_lies_in_the_interval(share: float, exponent: float) -> None:
    whole = power_law(4000, exponent=exponent)
    told = foretold(whole[: int(share * 4000)], 4000)
    assert told is not None
    assert told.low <= whole[-1] <= told.high
    assert told.final_loss == pytest.approx(whole[-1], rel=0.05)


@pytest.mark.parametrize(
    ("train", "total"),
    [
        pytest.param(power_law(2000), None, id="no plan"),
        pytest.param(power_law(30), 60, id="few points"),
        pytest.param(power_law(100), 4000, id="hardly begun"),
        pytest.param(power_law(2000), 2000, id="over"),
        pytest.param(-power_law(2000), 4000, id="negative"),
        pytest.param(np.linspace(1, 4, 2000), 4000, id="rising"),
        pytest.param(2 + np.sin(np.arange(2000) / 150), 4000, id="swinging"),
    ],
)
def test_no_forecast_is_made_where_the_law_does_not_hold(train: Floats, total: int | None) -> None:
    assert foretold(train, total) is None


def test_a_forecast_begins_at_two_fifths_of_the_plan_and_ends_just_before_its_end() -> None:
    lengths = (1599, 1600, 3959, 3960)
    given = [foretold(power_law(n), 4000) is not None for n in lengths]
    assert given == [False, True, True, False]


@pytest.mark.parametrize(("cycles", "given"), [(1, True), (2, False)])
def test_no_forecast_is_made_where_the_rate_comes_up_again(cycles: int, given: bool) -> None:
    rate = 1e-3 * (2 - np.linspace(0, cycles, 2000, endpoint=False) % 1)
    assert (foretold(power_law(2000), 4000, rate=rate) is not None) is given


def test_a_curve_that_flattens_is_told_where() -> None:
    told = foretold(power_law(2000, exponent=0.9), 4000, noise=0.005)
    assert told is not None
    assert told.flat_step is not None
    assert 100 < told.flat_step < 4000


def test_a_curve_that_broke_its_law_before_is_told_widely_or_not_at_all() -> None:
    train = power_law(2400, exponent=0.5)
    train[1500:] *= np.linspace(1, 0.93, 900)
    told, kept = foretold(train, 4000), foretold(power_law(2400, exponent=0.5), 4000)
    assert kept is not None
    assert told is None or told.high - told.low > 1.3 * (kept.high - kept.low)
