"""Cases of the demo: hyperparameters and data that cause each condition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from lossmon.demo.model import ModelShape


@dataclass(frozen=True, slots=True)
class Rate:
    """Learning rate schedule.

    Attributes:
        peak: Highest learning rate.
        warmup: Steps of linear warm-up from 0 to `peak`.
        floor: Share of `peak` at the end of the cosine decay; 1 is constant.
    """

    peak: float
    warmup: int = 20
    floor: float = 1.0

    def at(self, step: int, total: int) -> float:
        """Return the rate of one step, 1 to `total`."""
        if step <= self.warmup:
            return self.peak * step / self.warmup
        progress = (step - self.warmup) / max(1, total - self.warmup)
        return self.peak * (self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2)


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """Data of a run.

    Attributes:
        sentences: Number of training sentences.
        misprints: Share of wrong characters in the training text, which a model can only memorise.
        label_noise: Share of the training targets that are replaced in every batch.
        train_passwords: Share of unpredictable training sentences; the eval text has none.
    """

    sentences: int = 2000
    misprints: float = 0.0
    label_noise: float = 0.0
    train_passwords: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One demo training.

    Attributes:
        name: Name for `--case`.
        why: Cause of the condition, for help texts.
        expected: Codes of the verdicts that are right at its end.
        rate: Learning rate.
        text: Data.
        shape: Model.
        optimizer: `adam` or `sgd` with momentum.
        weight_decay: Decoupled, per unit of learning rate.
        clip: Largest gradient norm, None for no clipping.
        batch: Characters to predict per step.
        steps: Optimizer steps.
        eval_every: Steps between two evals.
    """

    name: str
    why: str
    expected: tuple[str, ...]
    rate: Rate
    text: CorpusOptions = field(default_factory=CorpusOptions)
    shape: ModelShape = field(default_factory=ModelShape)
    optimizer: Literal["adam", "sgd"] = "adam"
    weight_decay: float = 0.0
    clip: float | None = 1.0
    batch: int = 512
    steps: int = 700
    eval_every: int = 20


_ALL = (
    Case(
        "healthy",
        "plenty of text, a sane learning rate with warm-up and cosine decay",
        ("healthy", "converged"),
        Rate(1.5e-3, floor=0.1),
    ),
    Case(
        "overfit",
        "thirty sentences full of misprints, a large model, far too many epochs",
        ("overfitting",),
        Rate(3e-3),
        CorpusOptions(sentences=30, misprints=0.2),
        ModelShape(hidden=256),
        batch=128,
    ),
    Case(
        "underfit",
        "two hidden units, held near zero by a weight decay that nothing can grow against",
        ("underfitting",),
        Rate(5e-3),
        shape=ModelShape(hidden=2, activation="tanh"),
        weight_decay=10.0,
    ),
    Case(
        "oscillate",
        "SGD in small batches at a learning rate just below the edge: the weights never settle",
        ("oscillating", "lr_too_high"),
        Rate(0.38),
        shape=ModelShape(activation="tanh"),
        optimizer="sgd",
        weight_decay=0.01,
        clip=None,
        batch=64,
    ),
    Case(
        "plateau",
        "biases far below zero: no hidden unit ever fires, only letter frequencies are learned",
        ("plateau",),
        Rate(3e-2),
        shape=ModelShape(hidden_bias=-60.0),
    ),
    Case(
        "diverge",
        "a warm-up that never ends: the learning rate climbs over the edge",
        ("diverging", "lr_too_high"),
        Rate(0.6, warmup=700),
        clip=None,
    ),
    Case(
        "nan",
        "a float16 softmax that does not subtract its maximum: it overflows once the model is sure",
        ("non_finite",),
        Rate(1.5e-3),
        shape=ModelShape(half_precision=True),
    ),
    Case(
        "mismatch",
        "two of three train targets are replaced by noise; the eval text is clean",
        ("distribution_mismatch",),
        Rate(4e-3),
        CorpusOptions(label_noise=0.65),
    ),
    Case(
        "easy-eval",
        "half of the train text are passwords; the eval text has none",
        ("easy_eval",),
        Rate(2e-3),
        CorpusOptions(train_passwords=0.5),
    ),
)

CASES: Mapping[str, Case] = MappingProxyType({case.name: case for case in _ALL})
"""Every demo training by its name, the default first."""
