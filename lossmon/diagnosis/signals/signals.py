"""Signals of the eval loss, of both losses together, and of the whole run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np

from lossmon.diagnosis.curve_stats import cached, log_ratio, median_of_few
from lossmon.diagnosis.facts import fall_percent
from lossmon.diagnosis.noise import noise_of, reversals_of
from lossmon.diagnosis.signals.train_signals import TrainSignals
from lossmon.diagnosis.state import EngineState, LossKind
from lossmon.types import Floats

LEFT_EVALS = 8
"""Number of evals: with so many, the newest three are the highest by chance in 1 of 35 runs."""


class EvalSignals(TrainSignals):
    """What the evals show."""

    @cached
    def eval_log(self) -> Floats:
        """Natural log of the eval losses."""
        if self.eval is None:
            return np.empty(0)
        return np.log(np.maximum(self.eval.y, self._floor))

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
        return 0 if self.eval is None else int(self.eval.y.argmin())

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
        return median_of_few(tail.tolist()) if len(tail) else float(self.eval_log[-1])

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
    def eval_alarm(self) -> float:
        """Raw eval loss above which a single eval calls for a judgement."""
        if len(self.eval_log) < 4:
            return math.inf
        return math.exp(float(self.eval_log.min()) + 4 * self.eval_noise) - self.offset


SAME_SCALE = 0.3
"""Log distance of the first eval from the train loss within which both are on one scale and
have fallen from the same start."""

LATE_SHARE = 0.8
"""Share of the run after which train and eval loss are set against each other: long enough to
average the noise of single batches."""


class PairedSignals(EvalSignals):
    """What the two losses show side by side."""

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
        late = max(len(places) - int(places.searchsorted(self.at(LATE_SHARE), side="right")), 1)
        start, end = float(places[-late]) - evals.gap / 2, float(places[-1]) + train.gap / 2
        level = log_ratio(min(train.mean(start, end), train.mean(2 * start - end, start)), 1.0)
        error = self.late_noise / math.sqrt(max(train.count(start, end), 1.0))
        return level - float(logs[-late:].mean()), error

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


T = TypeVar("T")

STAY = 2.0
"""Times the sensitivity at which a verdict that is the badge still holds: it is over when its cause
is gone, not when it falls short of the alarm by a hair."""

EARLY_SHARE = 0.05
"""Share of the plan below which a run without an eval is not called healthy: everything that goes
wrong later begins like this."""

EARLY_POINTS = 20
"""The same in train points where no plan is known: a twentieth of the few hundred that a run
usually logs."""


class Signals(PairedSignals):
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
        super().__init__(state)
        self._results: dict[Callable[[Signals], object], object] = {}
        self.sensitivity = sensitivity
        self.badge = badge
        self.ended = ended

    def sensitivity_to(self, *codes: str) -> float:
        """The sensitivity, higher where one of the codes is the badge already."""
        return self.sensitivity * (STAY if self.badge in codes else 1.0)

    def share(self, percents: float) -> float:
        """Percents of a level, NaN of a lifted loss: of that they mean nothing."""
        return math.nan if self.offset else percents

    def fallen(self, log_fall: float) -> float:
        """Percents by which a level has fallen; NaN where it has not, and of a lifted loss."""
        return self.share(fall_percent(log_fall)) if log_fall > 0 else math.nan

    def once(self, compute: Callable[[Signals], T]) -> T:
        """The result of a function of these signals, computed when first asked for."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        return cast(T, self._results[compute])

    @cached
    def is_early(self) -> bool:
        """No eval has been seen since the start, and too little of the run for an all-clear."""
        if self.eval is not None or self.ended:
            return False
        if self.total:
            return self.step - self.first < EARLY_SHARE * self.total
        return self.logged_steps < EARLY_POINTS

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
