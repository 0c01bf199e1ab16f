"""The numbers of a whole demo training, without files or clock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from lossmon.demo.cases import CASES
from lossmon.demo.training import Training
from lossmon.types import Floats


@dataclass(frozen=True, slots=True)
class Curves:
    """What one training logged: everything a step, an eval loss and accuracy an eval."""

    train: Floats
    grad_norm: Floats
    learning_rate: Floats
    eval: Floats
    accuracy: Floats
    eval_every: int

    def train_near(self, share: float) -> float:
        """Mean train loss of the 40 steps that end at a share, 0 to 1, of the run."""
        end = round(share * len(self.train))
        return float(self.train[max(0, end - 40) : end].mean())

    def eval_near(self, share: float) -> float:
        """Median of the three evals that end at a share, 0 to 1, of the run."""
        end = round(share * len(self.eval))
        return float(np.median(self.eval[max(0, end - 3) : end]))


@cache
def curves(name: str, seed: int) -> Curves:
    """Train a case to its end, once a test session."""
    case = CASES[name]
    training = Training(case, seed)
    steps, evals = [], []
    for step in range(1, case.steps + 1):
        steps.append(training.step())
        if step % case.eval_every == 0:
            evals.append(training.evaluate())
    return Curves(
        np.array([each.loss for each in steps]),
        np.array([each.grad_norm for each in steps]),
        np.array([each.learning_rate for each in steps]),
        np.array([each.loss for each in evals]),
        np.array([each.accuracy for each in evals]),
        case.eval_every,
    )
