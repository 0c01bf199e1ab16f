"""Engine of the diagnosis: judges one run incrementally, from its points."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.binned_curve import BinnedCurve
from lossmon.diagnosis.forecast import forecast
from lossmon.diagnosis.indexed_points import Alarm, IndexedPoints
from lossmon.diagnosis.policy_curves import policy_quantity
from lossmon.diagnosis.rules import RULE_OF, VerdictPace, judge, leading
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import (
    METRICS,
    Channel,
    EngineState,
    LossKind,
    Role,
    are_adversarial,
    kind_of,
    network_of,
    role_of,
)
from lossmon.diagnosis.verdict import VerdictHysteresis
from lossmon.types import Diagnosis, Floats, Ints, Kind, Meaning

TRAIN_STRIDE = 10
"""The train curve is judged whenever it has grown by a tenth, so often enough that a verdict is
never older than 9 % of the run, and rarely enough that judging costs O(log n) in all."""

EVAL_STRIDE = 16
"""Evals are few and each may decide, so up to this many each one is judged; later every 6 %, and
at once where one is well above the best."""

PAIRED = 2
"""Evals after as many train points from which a log is taken for one line of both an epoch."""

RECHECK = 4
"""Train points after a passing verdict before the run is judged again; then 8, 16, and so on."""

HUGE = 1e100
"""Finite values are clipped to plus or minus this, which keeps sums over a run finite."""

SCALAR_LIMIT = 24
"""Up to this many points at once, a plain loop is faster than sorting columns by channel."""

YOUNG = 256
"""Losses up to which a run is judged so often that a plain loop is faster as well."""


class Engine:
    """Judges one run, point by point, in constant memory and without a clock.

    The same sequence of points gives the same verdicts and the same history, however it is cut
    into calls of `feed`.
    """

    def __init__(self, sensitivity: float = 1.0) -> None:
        """`sensitivity` above 1 warns earlier and more often, below 1 later and less."""
        self._sensitivity = min(max(sensitivity, 0.1), 10.0)
        self._state = EngineState()
        self._channels: list[Channel] = []
        self._numbers: dict[str, int] = {}
        self._networks: set[str] = set()
        self._hysteresis = VerdictHysteresis()
        self._next_train = 1
        self._next_eval = 1
        self._next_reward = 1
        self._reward_count = 0
        self._changed_at = -1
        self._train_count = 0
        self._eval_count = 0
        self._alarm = Alarm()
        self._eval_alarm = Alarm()

    @staticmethod
    def wants(meaning: Meaning) -> bool:
        """Whether a series of this meaning can change a verdict."""
        if kind_of(meaning.key) is not None:
            return True
        if meaning.kind is Kind.LOSS:
            return not meaning.summary
        return role_of(meaning, headline=True) is not Role.IGNORED

    def channel(self, meaning: Meaning, headline: bool) -> int:
        """The number under which to feed a series; the same key has the same number.

        Args:
            meaning: What the series measures.
            headline: It is THE train loss or THE eval loss of the run.
        """
        kind = kind_of(meaning.key)
        if network := network_of(meaning.key):
            self._networks.add(network)
            kind = LossKind.ADVERSARIAL if are_adversarial(self._networks) else kind
        if kind is not None and self._state.kind is LossKind.PLAIN:
            self._state.kind = kind
        role = role_of(meaning, headline)
        number = self._numbers.get(meaning.key)
        if number is None:
            number = self._numbers[meaning.key] = len(self._channels)
            self._channels.append(self._new_channel(meaning, role))
        elif self._channels[number].role is Role.IGNORED and role in (Role.TRAIN, Role.EVAL):
            self._channels[number].role = role
        return number

    def _new_channel(self, meaning: Meaning, role: Role) -> Channel:
        if role in (Role.REWARD, Role.POLICY):
            return self._new_policy_channel(meaning, role)
        if role is not Role.METRIC:
            return Channel(meaning.key, role)
        if len(self._state.metrics) >= METRICS:
            return Channel(meaning.key, Role.IGNORED)
        metric = Channel(meaning.key, role, BinnedCurve(), bool(meaning.lower_is_better))
        self._state.metrics.append(metric)
        return metric

    def _new_policy_channel(self, meaning: Meaning, role: Role) -> Channel:
        quantity = policy_quantity(meaning.key)
        if quantity is None or quantity in self._state.policy:
            return Channel(meaning.key, Role.IGNORED)
        channel = self._state.policy[quantity] = Channel(meaning.key, role, BinnedCurve())
        return channel

    def plan(self, total_steps: int | None) -> None:
        """Set the planned length of the run; None where it is unknown."""
        self._state.total_steps = total_steps

    def restart(self, step: int) -> None:
        """The run began again: everything logged at or beyond `step` is void."""
        self._state.truncate(step)
        self._train_count = self._state.train.points
        self._eval_count = self._state.eval.points
        self._changed_at = -1
        self._next_train = self._train_count + self._stride()
        self._next_eval = self._eval_count + 1
        self._hysteresis.restart()

    def feed(self, channels: Ints, steps: Ints, values: Floats) -> None:
        """Add points as columns of one length, in the order they were logged.

        Args:
            channels: Numbers that `channel` returned; points of others are ignored.
            steps: Steps, 0 or more.
            values: May be NaN or infinite.
        """
        with np.errstate(all="ignore"):
            few = self._plain_points(len(channels))
            if few:
                self._feed_few(channels[:few].tolist(), steps[:few].tolist(), values[:few].tolist())
            if few < len(channels):
                self._feed_many(channels[few:], steps[few:], values[few:])

    def _plain_points(self, count: int) -> int:
        """How many of the next points are added by a plain loop."""
        if count <= SCALAR_LIMIT:
            return count
        young = max(YOUNG - self._train_count - self._eval_count, 0)
        return min(count, young * min(max(len(self._channels), 1), METRICS))

    def _feed_few(self, channels: list[int], steps: list[int], values: list[float]) -> None:
        known = len(self._channels)
        for number, step, value in zip(channels, steps, values, strict=True):
            if not 0 <= number < known:
                continue
            channel = self._channels[number]
            if channel.role is not Role.IGNORED:
                self._point(channel, step, value if -HUGE <= value <= HUGE else _clip(value))

    def _point(self, channel: Channel, step: int, value: float) -> None:
        """Add one point and judge if it is time to."""
        state = self._state
        if channel.role is Role.TRAIN:
            self._train_count += 1
            alarmed = self._alarm.add(value)
            urgent = state.add_loss(Role.TRAIN, step, value) or alarmed
            if urgent or (self._train_count >= self._next_train and not self._awaits_eval()):
                self._judge(step)
        elif channel.role is Role.EVAL:
            self._eval_count += 1
            alarmed = self._eval_alarm.add(value)
            urgent = state.add_loss(Role.EVAL, step, value) or alarmed
            if urgent or self._eval_count >= self._next_eval:
                self._judge(step)
        elif channel.role is Role.GRADIENT:
            state.add_gradient_norm(step, value)
        elif math.isfinite(value):
            state.add_other(channel, step, value)
            if channel.role is Role.REWARD:
                self._reward_count += 1
                if self._reward_count >= self._next_reward:
                    self._judge(step)

    def _awaits_eval(self) -> bool:
        """An eval has followed every train point so far: this one is judged with its own."""
        return (
            self._eval_count >= PAIRED
            and self._eval_count == self._train_count - 1 < self._next_train
        )

    def _feed_many(self, channels: Ints, steps: Ints, values: Floats) -> None:
        """Add long columns: whole stretches between two judgements at once."""
        points = IndexedPoints(
            self._channels, channels, steps, values, HUGE, self._state.has_non_finite
        )
        start, n = 0, len(channels)
        while start < n:
            stop = self._next_stop(points, start)
            points.add_to(self._state, start, stop)
            self._train_count += points.count(Role.TRAIN, start, stop)
            self._eval_count += points.count(Role.EVAL, start, stop)
            self._reward_count += points.count(Role.REWARD, start, stop)
            self._alarm.count += points.count_above(Role.TRAIN, start, stop, self._alarm.level)
            self._eval_alarm.count += points.count_above(
                Role.EVAL, start, stop, self._eval_alarm.level
            )
            if stop < n:
                self._feed_few(*points.point(stop))
            start = stop + 1

    def _next_stop(self, points: IndexedPoints, start: int) -> int:
        """Position of the next point that may call for a judgement."""
        train = points.nth(Role.TRAIN, start, self._next_train - self._train_count)
        evals = points.nth(Role.EVAL, start, self._next_eval - self._eval_count)
        rewards = points.nth(Role.REWARD, start, self._next_reward - self._reward_count)
        stop = min(train, evals, rewards, points.next_special(start))
        stop = points.nth_above(Role.TRAIN, start, stop, self._alarm)
        return points.nth_above(Role.EVAL, start, stop, self._eval_alarm)

    def _judge(self, step: int) -> None:
        """Apply the rules, and let the verdict follow."""
        before = self._hysteresis.badge
        signals = Signals(self._state, self._sensitivity, before)
        self._hysteresis.update(step, signals, leading(signals))
        if self._hysteresis.badge != before and self._is_passing:
            self._changed_at = self._train_count
        self._next_train = self._train_count + self._stride()
        self._next_eval = self._eval_count + max(1, self._eval_count // EVAL_STRIDE)
        self._next_reward = self._reward_count + max(1, self._reward_count // TRAIN_STRIDE)
        self._alarm.move(signals.alarm)
        self._eval_alarm.move(signals.eval_alarm)

    @property
    def _is_passing(self) -> bool:
        """Whether the badge may be over as quickly as it came."""
        return VerdictPace.PASSING in RULE_OF[self._hysteresis.badge].pace

    def _stride(self) -> int:
        """Train points until the next judgement, fewer where an alarm may be over soon."""
        usual = max(1, self._train_count // TRAIN_STRIDE)
        if self._changed_at < 0 or not self._is_passing:
            return usual
        return min(usual, max(RECHECK, self._train_count - self._changed_at))

    def diagnosis(self, ended: bool = False) -> Diagnosis:
        """What the curves say, up to the newest point.

        The badge is the one last decided; its numbers are recomputed.

        Args:
            ended: The run is over. What leads now is the badge then: there is nothing to wait for.
        """
        with np.errstate(all="ignore"):
            signals = Signals(self._state, self._sensitivity, self._hysteresis.badge, ended)
            current = self._hysteresis.ended if ended else self._hysteresis.current
            verdict, findings, history = current(signals.step, judge(signals))
            return Diagnosis(
                verdict=verdict,
                findings=findings,
                history=history,
                missing=signals.missing,
                forecast=forecast(signals),
            )


def _clip(value: float) -> float:
    return min(max(value, -HUGE), HUGE) if math.isfinite(value) else value
