"""Steps as the tokens that a run had seen by then."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from lossmon.types import Axis, Floats, RunSnapshot, Series

_NAMES = ("tokens", "num_tokens")
"""Names of a count of tokens seen so far, the one to prefer first."""

_REMEMBERED = 64
"""Columns of positions that are kept: those of eight runs, of a few series each."""

_placed: OrderedDict[tuple[int, int], tuple[Series, Series, Floats]] = OrderedDict()
"""Positions by the columns that they were worked out from, which are kept so that no others can
take their place in memory."""


def tokens_of(run: RunSnapshot) -> Series | None:
    """The count of the tokens that a run had seen, None where it does not count them."""
    for name in _NAMES:
        for one in run.series:
            if one.meaning.key == name and len(one) > 1 and one.axis is Axis.STEP:
                return one
    return None


def in_tokens(series: Series, tokens: Series) -> Floats:
    """Positions of the points of a series in tokens; the very same column for the same series."""
    key = id(series.steps), id(tokens.values)
    known = _placed.get(key)
    if known is None:
        known = _placed[key] = series, tokens, _seen(tokens, np.asarray(series.steps, np.float64))
        while len(_placed) > _REMEMBERED:
            _placed.popitem(last=False)
    return known[2]


def tokens_at(tokens: Series, step: int) -> float:
    """How many tokens had been seen at a step."""
    return float(_seen(tokens, np.array([step], np.float64))[0])


def _seen(tokens: Series, steps: Floats) -> Floats:
    counted = np.isfinite(tokens.values)
    # Before the first step nothing was seen; between two counts the rate is that of both.
    known = np.concatenate(([0], tokens.steps[counted]))
    seen = np.maximum.accumulate(np.concatenate(([0.0], tokens.values[counted])))
    return np.asarray(np.interp(steps, known, seen))
