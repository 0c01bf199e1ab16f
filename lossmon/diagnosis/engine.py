"""Points to a diagnosis: keeps the curves of one run and judges them as it grows."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.binned_curve import BinnedCurve
from lossmon.diagnosis.forecast import forecast
from lossmon.diagnosis.point_batch import PointColumns
from lossmon.diagnosis.rules import judge, leading
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import METRICS, Channel, LossKind, Role, RunState, kind_of, role_of
from lossmon.diagnosis.verdict import VerdictHysteresis
from lossmon.types import Diagnosis, Floats, Ints, Kind, Meaning

TRAIN_STRIDE = 10
"""The train curve is judged whenever it has grown by a tenth, so often enough that a verdict is
never older than 9 % of the run, and rarely enough that judging costs O(log n) in all."""

EVAL_STRIDE = 16
"""Evals are few and each may decide, so up to this many each one is judged; later every 6 %, and
at once where one lies well above the best."""

PAIRED = 2
"""Evals after as many train points from which a log is taken for one line of both an epoch."""

PASSING = ("diverging", "spike")
"""Verdicts that a run may leave as fast as it came to them."""

RECHECK = 4
"""Train points after such a verdict before it is looked at again; later after 8, 16, and so on."""

HUGE = 1e100
"""Finite values are clipped here, so that sums over a run stay finite."""

ALARM_SHIFT = 0.05
"""Relative change of an alarm level below which the alarms counted so far still count."""

SCALAR_LIMIT = 24
"""Up to this many points at once, a plain loop is faster than sorting columns by channel."""


class Engine:
    """Judges one run, point by point, in constant memory and without a clock.

    The same sequence of points gives the same verdicts and the same history, however it is cut
    into calls of `feed`.
    """

    def __init__(self, sensitivity: float = 1.0) -> None:
        """`sensitivity` above 1 warns earlier and more often, below 1 later and less."""
        self._sensitivity = min(max(sensitivity, 0.1), 10.0)
        self._state = RunState()
        self._channels: list[Channel] = []
        self._numbers: dict[str, int] = {}
        self._bench = VerdictHysteresis()
        self._next_train = 1
        self._next_eval = 1
        self._turned = -1
        self._trains = 0
        self._evals = 0
        self._alarm = math.inf
        self._alarms = 0
        self._eval_alarm = math.inf
        self._eval_alarms = 0

    def wants(self, meaning: Meaning) -> bool:
        """Whether a series of this meaning can change a verdict."""
        if kind_of(meaning.key) is not None:
            return True
        if meaning.kind is Kind.LOSS:
            return not meaning.summary
        return role_of(meaning, headline=True) is not Role.IGNORED

    def channel(self, meaning: Meaning, headline: bool) -> int:
        """The number under which to feed a series; the same key has the same number.

        Args:
            meaning: What the series stands for.
            headline: It is THE train loss or THE eval loss of the run.
        """
        kind = kind_of(meaning.key)
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
        if role is not Role.METRIC:
            return Channel(meaning.key, role)
        if len(self._state.metrics) >= METRICS:
            return Channel(meaning.key, Role.IGNORED)
        metric = Channel(meaning.key, role, BinnedCurve(), bool(meaning.lower_is_better))
        self._state.metrics.append(metric)
        return metric

    def plan(self, total_steps: int | None, total_epochs: float | None) -> None:
        """Say how long the run is meant to last, where that is known."""
        self._state.total_steps = total_steps
        self._state.total_epochs = total_epochs

    def restart(self, step: int) -> None:
        """The run began again: everything logged at or beyond `step` is void."""
        self._state.cut(step)
        self._trains = self._state.train.points
        self._evals = self._state.eval.points
        self._turned = -1
        self._next_train = self._trains + self._stride()
        self._next_eval = self._evals + 1
        self._bench.restart()

    def feed(self, channels: Ints, steps: Ints, values: Floats, wall_times: Floats) -> None:
        """Take in points as columns of one length, in the order they were logged.

        Args:
            channels: Numbers that `channel` gave; points of others are passed over.
            steps: Steps, 0 or more.
            values: May be NaN or infinite.
            wall_times: Seconds since the Unix epoch, NaN where unknown.
        """
        with np.errstate(all="ignore"):
            if len(channels) <= SCALAR_LIMIT:
                self._feed_few(channels.tolist(), steps.tolist(), values.tolist())
            else:
                self._feed_many(channels, steps, values)

    def _feed_few(self, channels: list[int], steps: list[int], values: list[float]) -> None:
        known = len(self._channels)
        for number, step, value in zip(channels, steps, values, strict=True):
            if not 0 <= number < known:
                continue
            channel = self._channels[number]
            if channel.role is not Role.IGNORED:
                self._point(channel, step, _clip(value))

    def _point(self, channel: Channel, step: int, value: float) -> None:
        """Take in one point and judge if it is time to."""
        state = self._state
        if channel.role is Role.TRAIN:
            self._trains += 1
            urgent = state.loss(Role.TRAIN, step, value)
            if value > self._alarm:
                self._alarms += 1
                urgent = urgent or _rings(self._alarms)
            if urgent or (self._trains >= self._next_train and not self._awaits_eval()):
                self._judge(step)
        elif channel.role is Role.EVAL:
            self._evals += 1
            urgent = state.loss(Role.EVAL, step, value)
            if value > self._eval_alarm:
                self._eval_alarms += 1
                urgent = urgent or _rings(self._eval_alarms)
            if urgent or self._evals >= self._next_eval:
                self._judge(step)
        elif channel.role is Role.GRADIENT:
            state.gradient_norm(step, value)
        elif math.isfinite(value):
            state.other(channel, step, value)

    def _awaits_eval(self) -> bool:
        """An eval has followed every train point so far: this one is judged with its own."""
        return self._evals >= PAIRED and self._evals == self._trains - 1 < self._next_train

    def _feed_many(self, channels: Ints, steps: Ints, values: Floats) -> None:
        """Take in long columns: whole stretches between two judgements at once."""
        columns = PointColumns(self._channels, channels, steps, values, HUGE)
        start, n = 0, len(channels)
        while start < n:
            stop = self._next_stop(columns, start)
            columns.pour(self._state, start, stop)
            self._trains += columns.count(Role.TRAIN, start, stop)
            self._evals += columns.count(Role.EVAL, start, stop)
            if stop < n:
                self._feed_few(*columns.point(stop))
            start = stop + 1

    def _next_stop(self, columns: PointColumns, start: int) -> int:
        """Position of the next point that may call for a judgement."""
        train = columns.nth(Role.TRAIN, start, self._next_train - self._trains)
        evals = columns.nth(Role.EVAL, start, self._next_eval - self._evals)
        stop = min(train, evals, columns.next_special(start))
        stop = columns.next_above(Role.TRAIN, start, stop, self._alarm)
        return columns.next_above(Role.EVAL, start, stop, self._eval_alarm)

    def _judge(self, step: int) -> None:
        """Ask every rule, and let the verdict follow."""
        curves = Signals(self._state)
        before = self._bench.badge
        self._bench.sit(step, curves, leading(curves, self._sensitivity, before))
        badge = self._bench.badge
        if badge in PASSING and badge != before:
            self._turned = self._trains
        self._next_train = self._trains + self._stride()
        self._next_eval = self._evals + max(1, self._evals // EVAL_STRIDE)
        if _moved(curves.alarm, self._alarm):
            self._alarms = 0
        if _moved(curves.eval_alarm, self._eval_alarm):
            self._eval_alarms = 0
        self._alarm, self._eval_alarm = curves.alarm, curves.eval_alarm

    def _stride(self) -> int:
        """Train points until the next judgement, fewer where an alarm may be over soon."""
        usual = max(1, self._trains // TRAIN_STRIDE)
        if self._bench.badge not in PASSING or self._turned < 0:
            return usual
        return min(usual, max(RECHECK, self._trains - self._turned))

    def diagnosis(self) -> Diagnosis:
        """What the curves say, up to the newest point.

        The badge is the one last decided; its numbers are worked out anew.
        """
        with np.errstate(all="ignore"):
            curves = Signals(self._state)
            findings = judge(curves, self._sensitivity, self._bench.badge)
            verdict, others = self._bench.present(findings)
            return Diagnosis(
                verdict=verdict,
                findings=others,
                history=self._bench.history,
                missing=curves.missing,
                forecast=forecast(curves),
            )


def _clip(value: float) -> float:
    return min(max(value, -HUGE), HUGE) if math.isfinite(value) else value


def _moved(level: float, before: float) -> bool:
    """Whether the level of an alarm is another one, not the same seen more exactly.

    Every judgement shifts it a little; were that enough, plain noise would ring for ever.
    """
    return not math.isclose(level, before, rel_tol=ALARM_SHIFT)


def _rings(times: int) -> bool:
    """Whether the nth alarm of an unusually high loss is heard: the first four, then ever fewer."""
    return times <= 4 or times & (times - 1) == 0
