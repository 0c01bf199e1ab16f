"""Signals of one judgement: those of the curves, and what else the rules go by."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

from lossmon.diagnosis.cached import cached
from lossmon.diagnosis.signals.paired_signals import PairedSignals
from lossmon.diagnosis.state import EngineState, LossKind

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
