"""Adam and SGD with momentum, in plain numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from lossmon.demo.model import Array, Parameters

MOMENTUM = 0.9
"""Momentum of both optimizers, the usual value."""

VARIANCE = 0.999
"""Decay of the second moment of Adam, the published default."""


class Optimizer:
    """Moves parameters along their gradients, in place."""

    def __init__(self, kind: Literal["adam", "sgd"], weight_decay: float = 0.0) -> None:
        self.kind = kind
        self.weight_decay = weight_decay
        self._steps = 0
        self._first: dict[str, Array] = {}
        self._second: dict[str, Array] = {}

    def step(
        self, parameters: Parameters, gradients: Mapping[str, Array], learning_rate: float
    ) -> None:
        """Take one step; weight decay is decoupled from the gradient, as in AdamW."""
        self._steps += 1
        for name, gradient in gradients.items():
            move = self._adam(name, gradient) if self.kind == "adam" else self._sgd(name, gradient)
            if self.weight_decay:
                move = np.add(move, self.weight_decay * parameters[name], dtype=np.float32)
            parameters[name] -= np.float32(learning_rate) * move

    def _sgd(self, name: str, gradient: Array) -> Array:
        velocity = self._first.setdefault(name, np.zeros_like(gradient))
        velocity *= np.float32(MOMENTUM)
        velocity += gradient
        return velocity

    def _adam(self, name: str, gradient: Array) -> Array:
        first = self._first.setdefault(name, np.zeros_like(gradient))
        second = self._second.setdefault(name, np.zeros_like(gradient))
        first += np.float32(1.0 - MOMENTUM) * (gradient - first)
        second += np.float32(1.0 - VARIANCE) * (gradient * gradient - second)
        bias = np.float32((1.0 - VARIANCE**self._steps) ** 0.5 / (1.0 - MOMENTUM**self._steps))
        move: Array = np.divide(bias * first, np.sqrt(second) + 1e-8, dtype=np.float32)
        return move


def norm(gradients: Mapping[str, Array]) -> float:
    """Return the Euclidean norm of all gradients together."""
    return math.sqrt(sum(float((each * each).sum()) for each in gradients.values()))
