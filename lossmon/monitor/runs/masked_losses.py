"""Masked losses: losses printed as 0.0 that were NaN, as the NaN of their gradients says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lossmon.store.merge import extremes
from lossmon.types import Ints, Kind, Series


def unmasked(
    series: Sequence[Series], train: int | None, evaluated: int | None
) -> tuple[Series, ...]:
    """Put NaN back where the headline losses were printed as 0.0 in its place.

    The HF Trainer prints a NaN loss as 0.0 by default. With a gradient norm that is not finite at
    the same step a 0.0 has no innocent reading, and from the first one on that of an eval has
    none either. The charts, the minimum and the best eval then leave these points out.

    Args:
        series: All series of a run.
        train: Index of the headline train loss, or None.
        evaluated: Index of the headline eval loss, or None.

    Returns:
        The series; the very same objects where nothing was masked.
    """
    found = list(series)
    if train is None:
        return tuple(found)
    lead = series[train]
    hidden = np.zeros(len(lead), np.bool_)
    for one in series:
        if one.meaning.kind is Kind.GRAD_NORM and one.axis is lead.axis and one.n_nonfinite:
            hidden |= _among(lead.steps, one.steps[~np.isfinite(one.values)])
    hidden &= lead.values == 0.0
    if not hidden.any():
        return tuple(found)
    found[train] = _without(lead, hidden)
    if evaluated is not None and series[evaluated].axis is lead.axis:
        evals = series[evaluated]
        first = lead.steps[hidden.argmax()]
        found[evaluated] = _without(evals, (evals.values == 0.0) & (evals.steps >= first))
    return tuple(found)


def _among(steps: Ints, others: Ints) -> NDArray[np.bool_]:
    """Which steps are among others, both not decreasing."""
    if not len(others):
        return np.zeros(len(steps), np.bool_)
    places = np.minimum(np.searchsorted(others, steps), len(others) - 1)
    return np.asarray(others[places] == steps)


def _without(series: Series, hidden: NDArray[np.bool_]) -> Series:
    """The series with NaN in some places, and the statistics of the rest."""
    if not hidden.any():
        return series
    values = np.where(hidden, np.nan, series.values)
    found = extremes(values, series.steps)
    return replace(
        series,
        values=values,
        n_nonfinite=series.n_nonfinite + int(hidden.sum()),
        last=float(values[-1]),
        minimum=found.minimum,
        min_step=found.min_step,
        maximum=found.maximum,
        max_step=found.max_step,
    )
