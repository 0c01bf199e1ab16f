"""Short ways to write columns in tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lossmon.store import RunStore
from lossmon.types import Axis, Kind, Meaning, Points, Series, Split

TRAIN = Meaning("train/loss", "train loss", Split.TRAIN, Kind.LOSS, lower_is_better=True)
EVAL = Meaning("eval/loss", "eval loss", Split.EVAL, Kind.LOSS, lower_is_better=True)
RATE = Meaning("learning_rate", "learning rate", Split.TRAIN, Kind.LEARNING_RATE)


def points(
    tag: str,
    steps: Sequence[int],
    values: ArrayLike | None = None,
    *,
    order: int = 0,
    wall: float | None = None,
    axis: Axis = Axis.STEP,
) -> Points:
    """Points at `steps`; the values are the steps, the times `wall` plus the step."""
    n = len(steps)
    walls = np.full(n, np.nan) if wall is None else wall + np.asarray(steps, np.float64)
    return Points(
        tag,
        np.asarray(steps, np.int64),
        walls,
        np.asarray(steps if values is None else values, np.float64),
        np.arange(order, order + n, dtype=np.int64),
        axis,
    )


def only(store: RunStore) -> Series:
    """The one series of a store."""
    (series,) = store.series()
    return series
