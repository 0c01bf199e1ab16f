"""The curves of a run at the moment of judging, side by side."""

from __future__ import annotations

import math
from functools import cached_property

from lossmon.diagnosis.curve import Curve, relative
from lossmon.diagnosis.state import Broken, LossKind, RunState


class Curves:
    """What the rules look at; everything is worked out once, when first asked for."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self.kind: LossKind = state.kind
        self.broken: Broken | None = state.broken
        self.step = state.newest
        self.first = state.first or 0

    @cached_property
    def train(self) -> Curve | None:
        """The train loss, None before its first point."""
        return Curve(self._state.train.bins) if self._state.train.points else None

    @cached_property
    def eval(self) -> Curve | None:
        """The eval loss, None before its first point."""
        return Curve(self._state.eval.bins) if self._state.eval.points else None

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Codes of what cannot be judged because it is not logged."""
        absent = []
        if self.train is None:
            absent.append("no_train_loss")
        if self.eval is None:
            absent.append("no_eval_loss")
        if not self._state.rate.points:
            absent.append("no_learning_rate")
        return tuple(absent)

    @cached_property
    def alarm(self) -> float:
        """Train loss above which a single point calls for a judgement."""
        return math.inf

    @cached_property
    def drop(self) -> float:
        """Natural log of the first train level over the newest."""
        train = self.train
        if train is None or len(train) < 2:
            return 0.0
        return relative(float(train.y[0]), float(train.y[-1]))
