"""Signals of a run: what the rules look at when it is judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np

from lossmon.diagnosis.binned_curve import FIRST, HIGH, LAST, LOW, MEAN
from lossmon.diagnosis.cached import cached
from lossmon.diagnosis.curve_stats import CurveStats, log_ratio, median
from lossmon.diagnosis.noise import noise_of, reversals_of, spread_of
from lossmon.diagnosis.policy_curves import PolicyCurve, PolicyQuantity
from lossmon.diagnosis.spikes import Spike, newest_spike
from lossmon.diagnosis.state import Channel, EngineState, LossKind, NonFiniteLoss
from lossmon.types import Floats

T = TypeVar("T")

NOTHING = 1e-12
"""Share of the highest loss that is beyond the precision of float32."""

START_SHARE = 0.03
"""Share of the run whose mean is the level a loss starts from: long enough to average the noise
of a flat run, short enough to keep the height of a steep one."""

START_POINTS = (3, 10, 32)
"""Numbers of first points whose medians, less their error, may show a higher start."""

MEDIAN_ERROR = 1.25
"""Standard error of a median over that of a mean, for normal noise."""

LIFT_NOISES = 6.0
"""Standard deviations of single points that a loss below zero is lifted by on top: the relative
noise of one that only scatters about zero is then 8 %."""

LEAST_RANGE = 0.1
"""Least range of a loss below zero, as a share of its depth, that it is shifted by."""

SAME_SCALE = 0.3
"""Log distance of the first eval from the train loss within which both are on one scale and
have fallen from the same start."""

TREND_ERROR = 12.0
"""Variance of the fall along a straight line through n points, in variances of a point over n."""

FIRST_FEW = 3
"""First train points that show where the loss came from before the rate was warm."""

NOW_SHARE = 0.1
"""Share of the run whose mean is its present level."""

LATE_SHARE = 0.8
"""Share of the run after which train and eval loss are set against each other: long enough to
average the noise of single batches."""

MANY_POINTS = 40
"""Points of one loss that are evidence enough for everything without the other's."""

COARSE_STEPS = 5
"""Steps between two train points from which one usually is a mean: the trainers' default is 10
and more; single batches are logged at every step or two."""

ENOUGH_STEPS = 100
"""Steps, logged one by one, before slow states are judged: less is one noisy beginning."""

SETTLED_EVALS = 8
"""Evals that say as much."""

STAY = 2.0
"""Times the sensitivity at which a verdict that is the badge still holds: it is over when its cause
is gone, not when it falls short of the alarm by a hair."""

LEFT_EVALS = 8
"""Evals of which the newest three are the highest by chance in 1 of 35 runs."""

COMMON_SHARE = 0.5
"""Share of the evals below which the train log has ended early."""

COARSE = 0.5
"""A train curve with more than this many eval intervals between its points is taken for means
over the interval before each point (epoch means): it lags by half an interval."""


EARLY_SHARE = 0.05
"""Share of the plan below which a run without an eval is not called healthy: everything that goes
wrong later begins like this."""

EARLY_POINTS = 20
"""The same in train points where no plan is known: a twentieth of the few hundred that a run
usually logs."""


class Signals:
    """What the rules look at; each value is computed once, when first needed."""

    def __init__(
        self, state: EngineState, sensitivity: float = 1.0, badge: str = "", ended: bool = False
    ) -> None:
        """The signals of this moment.

        Args:
            state: What the engine keeps of the run.
            sensitivity: See `Engine`.
            badge: Code of the present badge.
            ended: The run is over.
        """
        self._state = state
        self._results: dict[Callable[[Signals], object], object] = {}
        self.sensitivity = sensitivity
        self.badge = badge
        self.ended = ended
        self.kind: LossKind = state.kind
        self.non_finite: NonFiniteLoss | None = state.non_finite
        self.repeats = state.repeats
        self.bad_gradients = state.bad_gradients
        self.step = state.last_step
        self.first = state.first or 0
        self.total = state.total_steps
        self.restarted = state.last_restart is not None

    def sensitivity_to(self, *codes: str) -> float:
        """The sensitivity, higher where one of the codes is the badge already."""
        return self.sensitivity * (STAY if self.badge in codes else 1.0)

    def share(self, percents: float) -> float:
        """Percents of a level, NaN of a lifted loss: of that they mean nothing."""
        return math.nan if self.offset else percents

    def once(self, compute: Callable[[Signals], T]) -> T:
        """The result of a function of these signals, computed when first asked for."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        return cast(T, self._results[compute])

    @cached
    def offset(self) -> float:
        """Offset added to every loss to make ratios meaningful: 0 for positive losses.

        A loss that goes below zero has no natural zero; it is shifted by what it has learnt, so
        that its best is half its start, and by its noise, which else would look like progress
        where there is none. Explosions above the start do not count: they would make everything
        else look flat.
        """
        curves = [curve for curve in (self._state.train, self._state.eval) if curve.points]
        lowest = min((float(curve.bins[:, LOW].min()) for curve in curves), default=0.0)
        if lowest >= 0:
            return 0.0
        values = [value for _, value in self._state.first_points]
        values = values or curves[0].bins[:3, HIGH].tolist()
        start = float(sorted(values)[len(values) // 2])
        noise = min(spread_of(values), spread_of([value for _, value in self._state.recent]))
        least = lowest + abs(lowest) * LEAST_RANGE
        return max(start, least) - 2 * lowest + LIFT_NOISES * noise

    @cached
    def train_ended(self) -> bool:
        """The train log ended early: it says nothing about what the evals saw since."""
        train, evals = self._state.train, self._state.eval
        if train.points < 2 or evals.points < 3:
            return False
        covered = train.last_step + 2 * (train.last_step - self.first) / train.points
        steps = evals.bins[:, FIRST]
        return float(np.count_nonzero(steps <= covered)) < COMMON_SHARE * len(steps)

    @cached
    def train(self) -> CurveStats | None:
        """The train loss, None before its first point, and where its log ended early."""
        if not self._state.train.points or self.train_ended:
            return None
        curve = CurveStats(self._state.train.bins, offset=self.offset)
        if not self._lags(curve):
            return curve
        return CurveStats(self._state.train.bins, shift=curve.gap / 2, offset=self.offset)

    def _lags(self, train: CurveStats) -> bool:
        evals = self.eval
        return evals is not None and len(evals) >= 2 and train.gap > COARSE * evals.gap

    @cached
    def train_lags(self) -> bool:
        """Train points are taken for means over the interval before each."""
        return self.train is not None and self._lags(self.train)

    @cached
    def eval(self) -> CurveStats | None:
        """The eval loss, None before its first point."""
        if not self._state.eval.points:
            return None
        return CurveStats(self._state.eval.bins, offset=self.offset)

    @cached
    def capped_train(self) -> CurveStats | None:
        """The train loss with lone spikes capped."""
        return None if self.train is None else self.train.capped()

    @cached
    def rate(self) -> CurveStats | None:
        """The learning rate, None where it is not logged."""
        return CurveStats(self._state.rate.bins) if self._state.rate.points else None

    @cached
    def metrics(self) -> tuple[Channel, ...]:
        """The metrics logged beside the eval loss."""
        return tuple(m for m in self._state.metrics if m.curve is not None and m.curve.points)

    @cached
    def policy(self) -> dict[PolicyQuantity, PolicyCurve]:
        """What a policy is judged by, as far as it is logged."""
        known = self._state.policy.items()
        curves = {quantity: channel.curve.bins for quantity, channel in known if channel.curve}
        return {
            quantity: PolicyCurve(bins[:, LAST], bins[:, MEAN]) for quantity, bins in curves.items()
        }

    @cached
    def recent(self) -> tuple[tuple[int, float], ...]:
        """Newest raw train points, oldest first, shifted."""
        if not self.offset:
            return tuple(self._state.recent)
        return tuple((step, value + self.offset) for step, value in self._state.recent)

    @cached
    def missing(self) -> tuple[str, ...]:
        """Codes of what cannot be judged because it is not logged."""
        absent = []
        if self.train_ended:
            absent.append("train_ended")
        elif self.train is None and self.kind is not LossKind.REWARD:
            absent.append("no_train_loss")
        if self.eval is None:
            absent.append("no_eval_loss")
        elif self.eval.points < 3:
            absent.append("few_evals")
        if self.rate is None:
            absent.append("no_learning_rate")
        if self.kind is LossKind.REWARD:
            absent.append("reward_loss")
        elif self.kind is LossKind.ADVERSARIAL:
            absent.append("adversarial_loss")
        elif self.kind is LossKind.PREFERENCE:
            absent.append("preference_loss")
        return tuple(absent)

    # ------------------------------------------------------------------ train

    @cached
    def span(self) -> float:
        """Steps that the train loss covers."""
        return self.train.span if self.train else 0.0

    @cached
    def logged_steps(self) -> int:
        """Steps at which a loss was seen: evals between few train points count beside them."""
        train, evals = self._state.train, self._state.eval
        if max(train.points, evals.points) >= MANY_POINTS:
            return max(train.points, evals.points)
        steps = train.bins[:, FIRST].tolist() + evals.bins[:, FIRST].tolist()
        return len(set(steps))

    @cached
    def is_coarse(self) -> bool:
        """Several steps lie between two train points, which are then mostly means over them."""
        return self.train is not None and self.train.gap >= COARSE_STEPS

    @cached
    def is_long_enough(self) -> bool:
        """The run is long enough to say that something does not change."""
        if self.eval is not None and self.eval.points >= SETTLED_EVALS:
            return True
        return self.is_coarse or self.span >= ENOUGH_STEPS

    @cached
    def is_early(self) -> bool:
        """No eval has been seen since the start, and too little of the run for an all-clear."""
        if self.eval is not None or self.ended:
            return False
        if self.total:
            return self.step - self.first < EARLY_SHARE * self.total
        return self.logged_steps < EARLY_POINTS

    def at(self, share: float) -> float:
        """Step at a share of the train curve."""
        return self.train.first + share * self.span if self.train else 0.0

    @cached
    def start(self) -> float:
        """Level that the train loss started from.

        The mean over the first part of the run sinks as the run grows; where the first points
        were clearly higher, they decide.
        """
        curve = self.capped_train
        if curve is None:
            return math.nan
        level = curve.mean(self.at(0), self.at(START_SHARE))
        values = [value + self.offset for _, value in self._state.first_points]
        for n in START_POINTS:
            if len(values) >= n:
                error = 2 * MEDIAN_ERROR * self.late_noise / math.sqrt(n)
                level = max(level, sorted(values[:n])[n // 2] * (1 - error))
        return level

    @cached
    def now(self) -> float:
        """Present level of the train loss."""
        curve = self.capped_train
        return curve.mean(self.at(1 - NOW_SHARE), self.at(1)) if curve else math.nan

    @cached
    def drop(self) -> float:
        """Natural log of the first train level over the present one."""
        return log_ratio(max(self.start, self._floor), max(self.now, self._floor))

    @cached
    def drop_error(self) -> float:
        """Standard error of `drop` from the noise of single train points."""
        if self.capped_train is None:
            return 0.0
        first = max(self.capped_train.count(self.at(0), self.at(START_SHARE)), 1.0)
        now = max(self.capped_train.count(self.at(1 - NOW_SHARE), self.at(1)), 1.0)
        return self.late_noise * math.sqrt(1 / first + 1 / now)

    @cached
    def late_noise(self) -> float:
        """Relative standard deviation of single train points over the second half."""
        curve = self.capped_train
        if curve is None:
            return 0.0
        level = curve.mean(self.at(0.5), self.at(1))
        return self.train_noise(0.5) / level if level > 0 else 0.0

    def train_noise(self, share: float) -> float:
        """Standard deviation of single train points from a share of the run on."""
        return self.capped_train.noise(self.at(share)) if self.capped_train else 0.0

    @cached
    def late_gain(self) -> tuple[float, float]:
        """Log fall of the train loss from the third to the last quarter, and its standard error."""
        curve = self.capped_train
        if curve is None or curve.points < 4:
            return 0.0, math.inf
        third = curve.mean(self.at(0.5), self.at(0.75))
        last = curve.mean(self.at(0.75), self.at(1))
        each = max(curve.count(self.at(0.75), self.at(1)), 1.0)
        gain = log_ratio(max(third, self._floor), max(last, self._floor))
        return gain, self.late_noise * math.sqrt(2 / each)

    @cached
    def trend(self) -> tuple[float, float]:
        """Log fall of the train loss by a straight line through all of it, and its error."""
        curve = self.capped_train
        if curve is None or curve.points < 4 or not curve.span > 0:
            return 0.0, math.inf
        logs = np.log(np.maximum(curve.y, self._floor))
        along = (curve.x - curve.x.mean()) / curve.span
        slope = float((along * (logs - logs.mean())).sum() / (along**2).sum())
        return -slope, self.late_noise * math.sqrt(TREND_ERROR / curve.points)

    @cached
    def first_levels(self) -> tuple[tuple[float, float], ...]:
        """Level of the first two train points and of the first few, with their relative errors.

        A rate that is far too high wrecks a model within a few points.
        """
        values = [value + self.offset for _, value in self._state.first_points[:FIRST_FEW]]
        if len(values) < FIRST_FEW:
            return ()
        scatter = spread_of([value for _, value in self.recent]) / max(self.now, 1e-300)
        noise = max(self.late_noise, scatter)
        error = MEDIAN_ERROR * noise / math.sqrt(FIRST_FEW)
        return (sum(values[:2]) / 2, noise / math.sqrt(2)), (sorted(values)[FIRST_FEW // 2], error)

    @cached
    def scatter(self) -> float:
        """Relative standard deviation of single train points up to the lowest.

        The first third always counts: one low point among the first is no evidence.
        """
        if self.train is None:
            return 0.0
        end = max(int(self.train.y.argmin()) + 1, len(self.train) // 3)
        return self.train.scatter(end if end >= 6 else len(self.train))

    @cached
    def spike(self) -> Spike | None:
        """The newest spike of the train loss."""
        return None if self.train is None else newest_spike(self.train)

    @cached
    def spike_bursts(self) -> int:
        """Separate bursts of high points in the second half of the run."""
        if self.train is None or self.spike is None:
            return 0
        level = (self.spike.peak + self.spike.before) / 2
        high = self.train.highs[self.train.x > self.at(0.5)] > level
        return int(np.count_nonzero(high[1:] & ~high[:-1]))

    # ------------------------------------------------------------------ eval

    @cached
    def eval_log(self) -> Floats:
        """Natural log of the eval losses."""
        if self.eval is None:
            return np.empty(0)
        return np.log(np.maximum(self.eval.y, self._floor))

    @cached
    def _floor(self) -> float:
        """Level below which the logarithm of a loss is meaningless."""
        tops = [curve.maximum[0] for curve in (self.train, self.eval) if curve is not None]
        return max(NOTHING * max(tops, default=0.0), 1e-300)

    @cached
    def evals_left(self) -> bool:
        """The newest three evals are higher than all of the earlier half: no noise does that."""
        logs = self.eval_log
        if len(logs) < LEFT_EVALS:
            return False
        return float(logs[-3:].min()) > float(logs[: len(logs) // 2].max())

    @cached
    def eval_best(self) -> int:
        """Index of the lowest eval."""
        return int(self.eval.y.argmin()) if self.eval else 0

    @cached
    def eval_noise(self) -> float:
        """Relative standard deviation of single evals, apart from their trend."""
        return noise_of(self.eval_log)

    @cached
    def eval_reversals(self) -> float:
        """Share of the newest evals at which their course turns round."""
        return reversals_of(self.eval_log)

    @cached
    def eval_now(self) -> float:
        """Natural log of the present eval level: the median of the last three since the best."""
        tail = self.eval_log[max(self.eval_best + 1, len(self.eval_log) - 3) :]
        return median(tail) if len(tail) else float(self.eval_log[-1])

    @cached
    def common(self) -> int:
        """Evals up to the end of the train log: only these can be compared with it."""
        train, evals = self.train, self.eval
        if train is None or evals is None:
            return 0
        reach = train.last + max(2 * train.gap, evals.gap / 2)
        return int(evals.x.searchsorted(reach, side="right"))

    @cached
    def sees_train_since_best(self) -> bool:
        """The train loss was logged on beyond the lowest eval."""
        return self.common > self.eval_best + 1

    @cached
    def train_at_evals(self) -> Floats:
        """Train level around each eval."""
        train, evals = self.capped_train, self.eval
        if train is None or evals is None:
            return np.empty(0)
        half = max(evals.gap, train.gap) / 2
        return train.means(evals.x - half, evals.x + half)

    @cached
    def train_before_evals(self) -> Floats:
        """Train level over the eval interval that ends at each eval."""
        train, evals = self.capped_train, self.eval
        if train is None or evals is None:
            return np.empty(0)
        return train.means(evals.x - max(evals.gap, train.gap), evals.x)

    @cached
    def train_at_eval_error(self) -> float:
        """Relative standard error of a train level beside one eval."""
        train, evals = self.capped_train, self.eval
        if train is None or evals is None:
            return math.inf
        each = max(evals.gap / train.gap, 1.0) if train.gap > 0 else 1.0
        return self.late_noise / math.sqrt(each)

    @cached
    def train_level_error(self) -> float:
        """The same by how much these levels scatter from eval to eval, where that is more."""
        levels = self.train_before_evals[: self.common]
        if len(levels) < 6:
            return self.train_at_eval_error
        scatter = noise_of(np.log(np.maximum(levels, self._floor)))
        return max(self.train_at_eval_error, scatter)

    @cached
    def gap(self) -> Floats:
        """Natural log of train over eval at each eval that has train points beside it.

        Above 0 where eval is the lower.
        """
        n = self.common
        return np.log(np.maximum(self.train_at_evals[:n], self._floor)) - self.eval_log[:n]

    @cached
    def late_gap(self) -> tuple[float, float]:
        """Natural log of train over eval over the last fifth that has both, and its standard error.

        A train loss that has risen counts as low as it was: the gap is what evals fell further.
        """
        train, evals = self.capped_train, self.eval
        if train is None or evals is None or not self.common:
            return 0.0, math.inf
        places, logs = evals.x[: self.common], self.eval_log[: self.common]
        late = max(int(np.count_nonzero(places > self.at(LATE_SHARE))), 1)
        start, end = float(places[-late]) - evals.gap / 2, float(places[-1]) + train.gap / 2
        level = log_ratio(min(train.mean(start, end), train.mean(2 * start - end, start)), 1.0)
        error = self.late_noise / math.sqrt(max(train.count(start, end), 1.0))
        return level - float(logs[-late:].mean()), error

    @cached
    def late_eval_gain(self) -> tuple[float, float]:
        """Log fall of the eval loss over the second half of the run, and its standard error."""
        evals = self.eval
        if evals is None or len(evals) < 4:
            return 0.0, math.inf
        middle = (self.first + self.step) / 2
        width = (self.step - self.first) * 0.05
        early = log_ratio(evals.mean(middle - width, middle + width), 1.0)
        late = float(self.eval_log[-2] + self.eval_log[-1]) / 2
        return early - late, self.eval_noise

    def eval_onset(self, holds: np.ndarray) -> int:
        """Step of the eval from which a condition has held without a break."""
        assert self.eval is not None
        breaks = np.flatnonzero(~holds)
        at = int(breaks[-1]) + 1 if len(breaks) else 0
        return int(self.eval.x[min(at, len(holds) - 1)])

    @cached
    def eval_drop(self) -> float:
        """Log fall of the eval loss from its first value to its present level."""
        return float(self.eval_log[0]) - self.eval_now if len(self.eval_log) > 1 else 0.0

    @cached
    def eval_fall(self) -> float:
        """Log fall of the eval loss from where it started, which the first eval may have missed."""
        train, evals = self.capped_train, self.eval
        if train is None or evals is None or len(evals) < 2:
            return self.eval_drop
        first, half = float(evals.x[0]), max(evals.gap, train.gap) / 2
        beside = train.mean(first - half, first + half)
        if abs(log_ratio(beside, math.exp(float(self.eval_log[0])))) > SAME_SCALE:
            return self.eval_drop
        return max(self.eval_drop, log_ratio(self.start, math.exp(self.eval_now)))

    # ------------------------------------------------------------------ alarm

    @cached
    def alarm(self) -> float:
        """Raw train loss above which a single point calls for a judgement."""
        curve = self.train
        if curve is None or curve.points < 4:
            return math.inf
        tail = np.array([value for _, value in self.recent[-16:]])
        usual = median(tail)
        spread = median(np.abs(tail - usual))
        return max(1.4 * usual, usual + 6 * 1.4826 * spread) - self.offset

    @cached
    def eval_alarm(self) -> float:
        """Raw eval loss above which a single eval calls for a judgement."""
        if len(self.eval_log) < 4:
            return math.inf
        rise = max(EVAL_ALARM, 4 * self.eval_noise)
        return math.exp(float(self.eval_log.min()) + rise) - self.offset


EVAL_ALARM = 0.01
"""Log rise of an eval above the best at which it may confirm overfitting."""
