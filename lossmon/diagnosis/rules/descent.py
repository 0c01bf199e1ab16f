"""Small but real descent, as of a good model that is fine-tuned.

A model that is fine-tuned starts near its floor: its loss may fall by only 5 to 20 %. A model that
cannot learn may fall by as much and then stay flat. They differ in the course: the first falls for
as long as its learning rate lets it, the second drops to its floor at once.
"""

from __future__ import annotations

import numpy as np

from lossmon.diagnosis.signals import Signals
from lossmon.types import Floats

SURELY = 3.0
"""Standard errors of a fall that noise does not explain."""

EVALS = 3
"""Evals that show a course."""

SURE = 5.0
"""Standard deviations of single evals by which the eval loss must have fallen."""

SURE_IN_ORDER = 1.0
"""The same where every eval is lower than the one before, which noise alone seldom does."""

SOME = 0.05
"""Log fall from the start that is more than nothing: below it, hardly anything is learnt."""

SCATTER_LEARNT = 0.02
"""Relative scatter of train points from which the losses of batches differ. A model that has
learnt nothing gives every batch nearly the same loss."""

LATE = 0.15
"""Share of the fall in the later half of the summed learning rate that shows a spread-out fall: a
loss that halves its distance to the floor every fifth of that sum keeps as much, a sudden drop
none."""

LATE_IN_TIME = 0.05
"""The same for the later half of the steps: on a cosine to 0 that half has 18 % of the summed rate,
and less of the fall."""

CRAWL = 0.4
"""Share of the fall in the later half of the steps from which the descent is a straight one."""

FAR_ENOUGH = 0.02
"""Log fall since the first eval from which a descent is well on its way."""

BEGUN = 6
"""Evals up to which a descent may only have begun."""


def descending(signals: Signals) -> bool:
    """The evals came down surely and steadily, and flatten no more than their rate makes them."""
    evals, logs = signals.eval, signals.eval_log
    if evals is None:
        return _train_descends(signals)
    if len(evals) < EVALS:
        return False
    fall, noise = float(logs[0] - logs[-1]), signals.eval_noise
    in_order = bool(np.all(logs[1:] < logs[:-1]))
    if fall <= (SURE_IN_ORDER if in_order else SURE) * noise:
        return False
    if float(logs[-1] - logs.min()) > noise:
        return False
    if len(evals) >= BEGUN and (fall < FAR_ENOUGH or signals.eval_fall < SOME):
        return False
    apart = tells_batches_apart(signals)
    late = _late(evals.x, logs)
    if late >= CRAWL:
        return apart
    if late < LATE_IN_TIME:
        return False
    rates = _summed_rate(signals, evals.x)
    if rates is None:
        return apart
    return (apart or fall >= SOME) and _late(rates, logs) >= LATE


def tells_batches_apart(signals: Signals) -> bool:
    """The losses of batches differ: the model has learnt something about them."""
    return signals.late_noise >= SCATTER_LEARNT


def _train_descends(signals: Signals) -> bool:
    """The train loss came down surely, and may well be coming down still."""
    gain, error = signals.late_gain
    if not tells_batches_apart(signals) or signals.drop - 2 * signals.drop_error < SOME:
        return False
    fall, fall_error = signals.trend
    if fall < SURELY * fall_error:
        return False
    return gain + 2 * error > LATE_IN_TIME * signals.drop


def _late(places: Floats, logs: Floats) -> float:
    """Share of the fall from the first to the last value that lies beyond the middle position."""
    middle = float(np.interp((places[0] + places[-1]) / 2, places, logs))
    return (middle - float(logs[-1])) / float(logs[0] - logs[-1])


def _summed_rate(signals: Signals, places: Floats) -> Floats | None:
    """Learning rate summed up to each step, None where none is logged."""
    rate = signals.rate
    if rate is None:
        return None
    from_first = np.maximum(places - rate.first, 0.0)
    summed = np.maximum.accumulate(
        rate.means(np.full(len(places), rate.first), places) * from_first
    )
    return summed if summed[-1] > summed[0] else None
