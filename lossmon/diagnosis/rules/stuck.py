"""A loss that does not move: `underfitting`, `lr_too_low` or `plateau`."""

from __future__ import annotations

import numpy as np

from lossmon.diagnosis.curve_stats import log_ratio
from lossmon.diagnosis.facts import facts
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Floats, Severity

LEARNT = 0.35
"""Log fall of the loss below which little was learnt, unless the course shows a descent."""

LEARNT_EVAL = 0.16
"""The same for the eval loss, which is first logged when part of the fall is over."""

SLOW_POINTS = 8
"""Train points before a loss that does not move is called stuck: epochs of a short run."""

ALONE_POINTS = 40
"""The same without an eval loss, which shows the level without the noise of single batches."""

PRECISE = 0.002
"""Standard error of that gain below which fewer points show it: means over many batches."""

ALONE_ERROR = 0.01
"""Standard error of the gain over the second half up to which a train loss alone shows that nothing
moves, where the losses of batches differ: a fine-tune falls by little more in that half."""

STUCK_GAIN = 0.03
"""Log gain over the second half of the run below which a loss that never fell is stuck."""

CRAWL_GAIN = 0.045
"""The same of a run that is over, and may have crept down in a straight line until its end."""

PLATEAU_DROP = 0.15
"""Log fall above which a stuck loss has at least begun to learn: a plateau, not underfitting."""

CRAWL_EVALS = 6
"""Evals before their course is split into halves."""

CRAWL_POINTS = 24
"""Train points from which a straight crawl differs from a descent that has just begun."""

CRAWL_LEAST = 0.003
"""Least log fall that is called a crawl rather than standing still."""

CRAWL_PACE = 0.6
"""Fall of the later half over that of the earlier: a loss near its floor slows down by more."""

PICKING_UP = 1.5
"""The same ratio above which the descent is only beginning: nothing is stuck."""


def little_learnt(signals: Signals) -> bool:
    """Neither loss has come down noticeably since the start, beyond its noise."""
    return signals.drop - signals.drop_error < LEARNT and signals.eval_drop < LEARNT_EVAL


def underfitting(signals: Signals) -> Finding | None:
    """The loss has not moved since its start."""
    found = signals.once(_stuck)
    return found if found is not None and found.code == "underfitting" else None


def lr_too_low(signals: Signals) -> Finding | None:
    """The loss creeps down without slowing."""
    found = signals.once(_stuck)
    return found if found is not None and found.code == "lr_too_low" else None


def plateau(signals: Signals) -> Finding | None:
    """The loss began to fall and then stopped, or prints one number again and again."""
    found = signals.once(_stuck)
    return found if found is not None and found.code == "plateau" else _frozen(signals)


def _stuck(signals: Signals) -> Finding | None:
    """The loss has hardly moved: which of the three verdicts that is."""
    train = signals.train
    if train is None or signals.logged_steps < SLOW_POINTS or signals.kind is not LossKind.PLAIN:
        return None
    if not signals.start > 0:
        return None
    if (
        not (signals.is_long_enough or signals.ended)
        or signals.is_warming_up
        or not little_learnt(signals)
        or (signals.eval is not None and len(signals.eval) < 3)
    ):
        return None
    gain, error = signals.late_gain
    most = CRAWL_GAIN if signals.ended else STUCK_GAIN
    if gain > most + SURELY * error or signals.late_eval_gain[0] > most:
        return None
    if signals.eval is None:
        sharp = ALONE_ERROR if tells_batches_apart(signals) else STUCK_GAIN
        least = CRAWL_POINTS if error < PRECISE else ALONE_POINTS
        least = SLOW_POINTS if signals.ended else least
        if train.points < least or (error > sharp and not _stands_still(signals)):
            return None
    if descending(signals):
        return None
    evidence = facts(
        train=signals.now - signals.offset,
        start=signals.start - signals.offset,
        drop_percent=signals.fallen(signals.drop),
    )
    early, late, noise = _halves(signals)
    if late > max(PICKING_UP * max(early, 0.0), 4 * noise, CRAWL_LEAST):
        return None
    if early + late > max(CRAWL_LEAST, 4 * noise) and late > CRAWL_PACE * early > 0:
        if train.points < CRAWL_POINTS and not signals.ended:
            return None
        code = "lr_too_low"
    elif gain > STUCK_GAIN + SURELY * error or signals.late_eval_gain[0] > STUCK_GAIN:
        return None
    else:
        code = "plateau" if signals.drop - signals.drop_error > PLATEAU_DROP else "underfitting"
    return Finding(code, Severity.NOTICE, int(signals.at(0)), Confidence.MEDIUM, evidence)


STANDS_STILL = 0.1
"""Log fall of the train loss that must be excluded where its noise hides smaller ones."""


STILL_POINTS = 60
"""Train points before that is said: a warm-up stands still as well."""


def _stands_still(signals: Signals) -> bool:
    """The train loss has not surely fallen, and cannot have fallen by much."""
    least = SLOW_POINTS if signals.ended else STILL_POINTS
    if signals.train is None or signals.train.points < least:
        return False
    fall, error = signals.trend
    return fall < SURELY * error and fall + 2 * error < STANDS_STILL


def _halves(signals: Signals) -> tuple[float, float, float]:
    """Log fall over the earlier and over the later half of the run, and the error of each."""
    evals = signals.eval
    if evals is not None and len(evals) >= CRAWL_EVALS:
        logs = signals.eval_log
        middle = len(logs) // 2
        return float(logs[0] - logs[middle]), float(logs[middle] - logs[-1]), signals.eval_noise
    train = signals.capped_train
    assert train is not None
    parts = [train.mean(signals.at(i / 4), signals.at((i + 1) / 4)) for i in range(4)]
    return log_ratio(parts[0], parts[1]), log_ratio(parts[2], parts[3]), signals.late_gain[1]


FROZEN_TIMES = 8
"""Identical train losses in a row that no real batch gives."""

NEARLY_NOTHING = 0.02
"""Share of the start below which a loss is printed alike because it has too few digits left."""

SETTLING = 0.001
"""Share of the whole fall up to which the last change before that ends a descent, as where all data
is seen at every step. A log that repeats a stale value stops amid its noise."""


def _frozen(signals: Signals) -> Finding | None:
    """The train loss prints the very same number again and again."""
    if signals.repeats + 1 < FROZEN_TIMES or signals.kind is not LossKind.PLAIN:
        return None
    step, value = signals.recent[-1]
    if signals.train is not None and signals.train.maximum[0] == signals.train.minimum[0] == 0:
        return Finding(
            "plateau",
            Severity.NOTICE,
            signals.first,
            Confidence.HIGH,
            facts(times=signals.train.points),
            "zero",
        )
    if signals.now <= NEARLY_NOTHING * signals.start:
        return None
    if signals.last_change <= SETTLING * (signals.start - signals.now):
        return None
    evidence = facts(
        times=signals.repeats + 1,
        train=value - signals.offset,
    )
    return Finding("plateau", Severity.NOTICE, step, Confidence.MEDIUM, evidence, "frozen")


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
