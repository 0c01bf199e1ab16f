"""Charts whose horizontal counts in powers of ten."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossmon.ui.chart.axes.log_x import logarithmic, position_ticks
from lossmon.ui.chart.model import ChartModel, ChartOptions, ChartSettings, Curve, Mark
from lossmon.ui.chart.painter import Painter
from lossmon.ui.chart.readout import readout
from lossmon.ui.chart.run_model import model_of
from tests.ui import stage


def curve(first: int = 0) -> Curve:
    steps = np.arange(first, 1001)
    return Curve("loss", steps, 1.0 / (1.0 + steps), smooth=False, steps=steps)


def test_positions_are_logarithms_and_steps_stay_steps() -> None:
    model = logarithmic(ChartModel((curve(1),), (Mark(100.0, "min", y=0.5),), total=10_000.0))
    assert model.log_x and model.total == 4.0
    assert model.curves[0].x[0] == 0.0 and model.curves[0].last == pytest.approx(3.0)
    assert model.marks[0].x == pytest.approx(2.0)
    assert readout(model, math.log10(500))[0].step == 500


def test_what_is_not_positive_stands_at_the_first_place_that_is() -> None:
    first = curve()
    model = logarithmic(ChartModel((first,), (Mark(0.0, "verdict"),)))
    assert model.curves[0].x[:2].tolist() == [0.0, 0.0]
    assert not model.marks
    # A live chart is asked again and again: its columns stay the same objects.
    assert logarithmic(ChartModel((first,))).curves[0].same(model.curves[0])


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0.0, 3.0, 5, ["1", "10", "100", "1k"]),
        (0.0, 3.0, 12, ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1k"]),
        (3.0, 3.5, 5, ["1k", "2k"]),
        (2.0, 2.1, 4, ["100", "110", "120"]),
    ],
)
def test_labels_count_in_powers_of_ten(
    low: float, high: float, most: int, labels: list[str]
) -> None:
    ticks = position_ticks(low, high, most)
    assert [tick.label for tick in ticks] == labels[: len(ticks)] and len(ticks) >= 2
    assert all(low - 1e-9 <= tick.at <= high + 1e-9 for tick in ticks)


def test_a_decade_is_as_wide_as_the_next() -> None:
    painter = Painter()
    painter.paint(logarithmic(ChartModel((curve(1),), live=False)), ChartOptions(), 80, 12)
    assert painter.plan is not None
    places = {tick.label: tick.at for tick in painter.plan.positions}
    assert places["100"] - places["10"] == pytest.approx(places["1k"] - places["100"])


def test_the_settings_make_the_charts_of_a_run_logarithmic() -> None:
    run = stage.overfitting()
    assert not model_of(run, ChartSettings(), (0, 1)).log_x
    model = model_of(run, ChartSettings(log_x=True), (0, 1))
    assert model.log_x and model.curves[0].last == pytest.approx(math.log10(run.step or 0))
