"""Signals of the eval loss: best, present level, noise, course."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.cached import cached
from lossmon.diagnosis.curve_stats import log_ratio, median_of_few
from lossmon.diagnosis.noise import noise_of, reversals_of
from lossmon.diagnosis.signals.train_signals import TrainSignals
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
