"""Signals of both losses: the train level beside each eval, and the gap between the two."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.cached import cached
from lossmon.diagnosis.curve_stats import log_ratio
from lossmon.diagnosis.noise import noise_of
from lossmon.diagnosis.signals.eval_signals import EvalSignals
from lossmon.types import Floats

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
