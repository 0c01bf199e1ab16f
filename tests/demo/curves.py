"""The numbers of a whole demo training, without files or clock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from lossmon import demo
from lossmon.demo.cases import CASES
from lossmon.demo.training import DemoTraining
from lossmon.types import Floats
from tests import paths


@dataclass(frozen=True, slots=True)
class Curves:
    """Values that one training logged, per step and per eval."""

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


SEEDS = (0, 7, 11) if os.environ.get("HYPOTHESIS_PROFILE") == "explore" else (0,)
"""Seeds that the cases are trained with: a training takes seconds."""

SOURCES = sorted(Path(demo.__file__).parent.glob("*.py"))
CACHE = paths.ROOT / ".pytest_cache" / "demo"
"""Trainings of this code, kept for other processes and later sessions."""


@cache
def curves(name: str, seed: int) -> Curves:
    """Train a case to its end, once per version of the demo."""
    path = CACHE / f"{_version()}-{name}-{seed}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        # Another process may be training the same case.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            with np.load(path) as kept:
                return Curves(
                    **{key: kept[key] for key in kept.files if key != "eval_every"},
                    eval_every=int(kept["eval_every"]),
                )
        found = _train(name, seed)
        new = path.with_suffix(".new.npz")
        np.savez(new, **asdict(found))
        new.rename(path)
    return found


@cache
def _version() -> str:
    """What the curves depend on: the code of the demo and the arithmetic of this machine."""
    digest = hashlib.sha256(f"{np.__version__} {sys.version} {platform.machine()}".encode())
    for path in SOURCES:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _train(name: str, seed: int) -> Curves:
    case = CASES[name]
    training = DemoTraining(case, seed)
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
