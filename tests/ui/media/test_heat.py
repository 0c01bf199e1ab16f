"""Heat maps of histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.types import Histogram
from lossmon.ui.chart.axes.ticks import linear_ticks
from lossmon.ui.media.heat import (
    BANDS,
    bands,
    colored,
    columns_of,
    densities,
    shaded,
    summary,
    value_range,
)


def histogram(edges: list[float], counts: list[float]) -> Histogram:
    bounds = np.array(edges)
    return Histogram(bounds[:-1], bounds[1:], np.array(counts))


def test_bins_of_all_steps_share_one_axis() -> None:
    coarse, fine = histogram([0, 4], [8]), histogram([0, 1, 2, 3, 4], [0, 4, 4, 0])
    shares = densities([coarse, None, fine], 0, 4, 4)
    assert shares[:, 0].tolist() == pytest.approx([0.5] * 4)
    assert shares[:, 1].tolist() == [0] * 4
    assert shares[:, 2].tolist() == pytest.approx([0, 1, 1, 0])


def test_values_beyond_the_axis_are_in_its_outer_rows() -> None:
    shares = densities([histogram([-10, 0, 10], [1, 3])], -1, 1, 2)
    assert shares[:, 0].tolist() == pytest.approx([1, 1 / 3])


def test_values_that_are_all_the_same_are_one_row() -> None:
    one = Histogram(np.array([2.0]), np.array([2.0]), np.array([5.0]))
    low, high = value_range([one])
    assert low < 2 < high
    assert sorted(densities([one], low, high, 5)[:, 0].tolist()) == [0, 0, 0, 0, 1]
    assert summary(one) == (5, 2, 2, 2)


@pytest.mark.parametrize(
    "edges", [[-1e300, 1e300], [0, 5e-324], [1e-310, 2e-310], [1.0, 1.0 + 2e-16], [-5e-324, 0]]
)
def test_every_range_can_be_drawn(edges: list[float]) -> None:
    one = histogram(edges, [1e300])
    low, high = value_range([one])
    assert np.isfinite(densities([one], low, high, 40)).all()
    assert all(low <= tick.at <= high for tick in linear_ticks(low, high, 5))


def test_bands_are_nested_round_the_median_and_stay_on_the_axis() -> None:
    even = histogram([float(edge) for edge in range(101)], [1.0] * 100)
    rows = bands([even, None], 0, 100, 100)
    assert rows[50, 0] == rows.max() == 1 and not rows[:, 1].any()
    sizes = [int((rows[:, 0] >= share).sum()) for _, share in BANDS]
    assert sizes == pytest.approx([100, 86, 68, 38, 1], abs=1)
    assert bands([even], 40, 45, 3)[:, 0].tolist() == [1.0, BANDS[3][1], BANDS[3][1]]


def test_one_huge_value_does_not_stretch_the_axis() -> None:
    one = histogram([0, 1, 1e9], [99_999, 1])
    assert value_range([one])[1] < 2
    assert summary(one).high == 1e9
    assert summary(one).median == pytest.approx(0.5, rel=1e-3)


@given(st.lists(st.integers(0, 10**6), min_size=1, unique=True), st.integers(1, 200))
def test_columns_show_the_newest_record_up_to_their_step(steps: list[int], columns: int) -> None:
    steps.sort()
    shown = columns_of(steps, columns)
    assert len(shown) == columns
    assert shown == sorted(shown)
    assert shown[0] == 0
    if columns > 1:
        assert shown[-1] == len(steps) - 1


def test_only_an_empty_cell_looks_empty() -> None:
    shares = np.array([[0.0, 1e-9, 0.3, 1.0]])
    text = "".join(map(chr, shaded(shares, " .:#")[0]))
    assert text == " .:#"
    pixels = colored(shares, [(0, 0, 0), (0, 0, 255)])
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[0, -1].tolist() == [0, 0, 255]
