"""Curves of a run as the rules look at them: the losses lifted above zero, rates and metrics."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.binned_curve import FIRST, HIGH, LAST, MEAN
from lossmon.diagnosis.curve_stats import CurveStats, cached, is_sum
from lossmon.diagnosis.noise import spread_of
from lossmon.diagnosis.policy_curves import PolicyCurve, PolicyQuantity
from lossmon.diagnosis.state import Channel, EngineState, LossKind, NonFiniteLoss

NOTHING = 1e-12
"""Share of the highest loss that is beyond the precision of float32."""

LIFT_NOISES = 6.0
"""Standard deviations of single points that a loss below zero is lifted by on top: the relative
noise of one that only scatters about zero is then 8 %."""

LEAST_RANGE = 0.1
"""Least range of a loss below zero, as a share of its depth, that it is shifted by."""

MANY_POINTS = 40
"""Points of one loss that are evidence enough for everything without the other's."""

COARSE_STEPS = 5
"""Steps between two train points from which one usually is a mean: the trainers' default is 10
and more; single batches are logged at every step or two."""

ENOUGH_STEPS = 100
"""Steps, logged one by one, before slow states are judged: less is one noisy beginning."""

SETTLED_EVALS = 8
"""Evals that say as much."""

COMMON_SHARE = 0.5
"""Share of the evals below which the train log has ended early."""

COARSE = 0.5
"""A train curve with more than this many eval intervals between its points is taken for means
over the interval before each point (epoch means): it lags by half an interval."""


class RunCurves:
    """The curves of a run at one moment, without what the rules make of them."""

    def __init__(self, state: EngineState) -> None:
        """The curves of this moment.

        Args:
            state: What the engine keeps of the run.
        """
        self._state = state
        self.non_finite: NonFiniteLoss | None = state.non_finite
        self.repeats = state.repeats
        self.last_change = state.last_change
        self.bad_gradients = state.bad_gradients
        self.step = state.last_step
        self.first = state.first or 0
        self.total = state.total_steps
        self.restarted = state.last_restart is not None

    @cached
    def kind(self) -> LossKind:
        """Which rules the losses can be judged by."""
        kind = self._state.kind
        if kind is LossKind.PLAIN and self.train is not None and is_sum(self.train):
            return LossKind.SUMMED
        return kind

    @cached
    def offset(self) -> float:
        """Offset added to every loss to make ratios meaningful: 0 for positive losses.

        A loss that goes below zero has no natural zero; it is shifted by what it has learnt, so
        that its best is half its start, and by its noise, which else would look like progress
        where there is none. Explosions above the start do not count: they would make everything
        else look flat.
        """
        state = self._state
        lowest = min(state.train.lowest, state.eval.lowest)
        if lowest >= 0:
            return 0.0
        values = [value for _, value in state.first_points]
        values = (
            values or (state.train if state.train.points else state.eval).bins[:3, HIGH].tolist()
        )
        start = float(sorted(values)[len(values) // 2])
        noise = min(spread_of(values), spread_of([value for _, value in state.recent]))
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
        bins = self._state.train.bins
        curve = CurveStats(bins, offset=self.offset)
        if not self._lags(curve):
            return curve
        return CurveStats(bins, shift=curve.gap / 2, offset=self.offset)

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
    def is_warming_up(self) -> bool:
        """The learning rate rose for more than half of the run so far."""
        if self.rate is None:
            return False
        peak = float(self.rate.x[int(self.rate.y.argmax())])
        return peak - self.first > self.span / 2

    @cached
    def rate_came_back(self) -> bool:
        """The learning rate rose again after it had fallen from its peak."""
        if self.rate is None:
            return False
        rates = self.rate.y[int(self.rate.y.argmax()) :]
        return bool((rates > 1.2 * np.minimum.accumulate(rates)).any())

    @cached
    def rate_is_back(self) -> bool:
        """The learning rate has come up again after a decay, to no more than it was before."""
        if self.rate is None:
            return False
        now, low = float(self.rate.y[-1]), int(self.rate.y.argmin())
        if not (low > 0 and now > 1.2 * float(self.rate.y[low])):
            return False
        return now <= 1.02 * float(self.rate.y[:low].max())

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
    def span(self) -> float:
        """Steps that the train loss covers."""
        return self.train.span if self.train is not None else 0.0

    def at(self, share: float) -> float:
        """Step at a share of the train curve."""
        train = self.train
        return 0.0 if train is None else train.first + share * self.span

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
    def _floor(self) -> float:
        """Level below which the logarithm of a loss is meaningless."""
        train = -math.inf if self.train is None else self._state.train.highest
        highest = max(train, self._state.eval.highest)
        return max(NOTHING * (highest + self.offset), 1e-300)
