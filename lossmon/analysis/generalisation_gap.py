"""Generalisation gap as a series: eval loss minus the level of the train loss there."""

from __future__ import annotations

import numpy as np

from lossmon.types import Floats, Ints, Kind, Meaning, RunSnapshot, Series, Split

LEVEL_POINTS = 16
"""Train points up to an eval whose median is the level there: single batches are noise."""

LEVEL_SHARE = 10
"""One in so many points up to an eval makes the level, as far as `LEVEL_POINTS`: where they are
few, those of the whole run would lie far above a loss that falls."""

MOST_EVALS = 512
"""Evals that the gap is worked out at; of more, every second, fourth, eighth... A sparkline has
fewer columns, and the cost stays a tenth of a millisecond."""

GAP = Meaning("gap", "gap", Split.EVAL, Kind.LOSS)
"""Meaning of the series. Neither direction is good by itself."""


def gap_series(run: RunSnapshot) -> Series | None:
    """The gap at every eval that has train points before it; None below two of them."""
    train, evals = run.train_loss, run.eval_loss
    if train is None or evals is None or train.axis is not evals.axis:
        return None
    if len(train) == 0 or len(evals) < 2:
        return None
    stride = 1
    while len(evals) > stride * MOST_EVALS:
        stride *= 2
    chosen = slice((len(evals) - 1) % stride, None, stride) if stride > 1 else slice(None)
    steps, values = evals.steps[chosen], evals.values[chosen]
    with np.errstate(all="ignore"):
        gaps = values - _levels(train, steps)
    known = np.isfinite(gaps)
    if int(known.sum()) < 2:
        return None
    steps, gaps = steps[known], gaps[known]
    walls = evals.wall_times[chosen][known]
    return Series.of_points("gap", GAP, evals.source, steps, gaps, walls, evals.axis)


def _levels(train: Series, steps: Ints) -> Floats:
    """Median of the newest train points up to each step; NaN where there is none.

    Only the points that count are looked at: a run may have a million others.
    """
    ends = np.searchsorted(train.steps, steps, side="right")
    places = ends[:, None] - np.arange(1, LEVEL_POINTS + 1)[None, :]
    window = train.values[np.maximum(places, 0)]
    known = (places >= 0) & np.isfinite(window)
    most = np.clip(ends // LEVEL_SHARE, 1, LEVEL_POINTS)
    known &= known.cumsum(axis=1) <= most[:, None]
    window = np.where(known, window, np.inf)
    window.sort(axis=1)
    counts, rows = known.sum(axis=1), np.arange(len(steps))
    # Missing points lie at the end; the median is that of the others.
    upper = window[rows, np.minimum(counts // 2, LEVEL_POINTS - 1)]
    lower = window[rows, np.maximum((counts - 1) // 2, 0)]
    return np.where(counts > 0, lower + (upper - lower) / 2, np.nan)
