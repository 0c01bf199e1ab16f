"""Bars of one histogram."""

from __future__ import annotations

from lossmon.ui.widgets.media.card import bars
from tests.ui.media.test_heat import histogram


def test_bars_rise_with_the_counts_from_low_to_high_values() -> None:
    assert bars(histogram([0, 1, 2], [2, 4]), 2, 2) == [" █", "██"]


def test_a_bin_with_few_values_is_still_seen() -> None:
    assert bars(histogram([0, 1, 2], [5, 995]), 2, 1) == ["▁█"]
