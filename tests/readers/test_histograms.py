"""Histograms made regular."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.values import regular

_NUMBERS = st.lists(st.tuples(*[st.floats()] * 3), max_size=8)


@given(_NUMBERS)
def test_bins_of_any_kind_become_ascending_and_finite(rows: list[tuple[float, ...]]) -> None:
    found = regular(*(np.array([row[at] for row in rows]) for at in range(3)))
    if found is None:
        assert not any(all(map(math.isfinite, row)) and row[2] > 0 for row in rows)
        return
    assert (found.left <= found.right).all()
    assert (found.right[:-1] <= found.left[1:]).all()
    assert (found.counts > 0).all()
