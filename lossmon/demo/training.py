"""Demo training step by step, without files or clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from lossmon.demo.cases import Case
from lossmon.demo.model import (
    CONTEXT,
    Codes,
    Model,
    Optimizer,
    cross_entropy,
    decode,
    encode,
    misprint,
    norm,
    text,
    windows,
)

EVAL_SENTENCES = 120
"""Sentences of the eval text: enough to keep the noise of an eval at about 1 %."""

SHARPNESS = 2.0
"""Exponent of the probabilities that texts are sampled from: a temperature of 0.5, at which a small
model generates words rather than letters."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """Measurements of one optimizer step.

    Attributes:
        loss: Mean cross-entropy of the batch before the step, in nats per character.
        grad_norm: Euclidean norm of the gradient before clipping.
        learning_rate: Learning rate of the step.
    """

    loss: float
    grad_norm: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class EvalResult:
    """Measurements on the eval text: cross-entropy in nats per character, and accuracy."""

    loss: float
    accuracy: float


class DemoTraining:
    """A model, its data and its optimizer. The same case and seed give the same values."""

    def __init__(self, case: Case, seed: int = 0) -> None:
        self.case = case
        self.steps_done = 0
        self._rng = np.random.default_rng(seed)
        self.model = Model(case.shape, self._rng)
        self._optimizer = Optimizer(case.optimizer, case.weight_decay)
        written = encode(text(self._rng, case.text.sentences, passwords=case.text.train_passwords))
        self._train = windows(misprint(self._rng, written, case.text.misprints))
        self._eval = windows(encode(text(self._rng, EVAL_SENTENCES)))
        self._batches = _batches(self._rng, self.examples, case.batch)
        self._writer = np.random.default_rng(seed)

    @property
    def examples(self) -> int:
        """Characters to predict in the train text."""
        return len(self._train[1])

    @property
    def epoch(self) -> float:
        """Passes over the training text so far."""
        return self.steps_done * self.case.batch / self.examples

    def step(self) -> StepResult:
        """Take one optimizer step."""
        case = self.case
        self.steps_done += 1
        chosen = next(self._batches)
        contexts, targets = self._train[0][chosen], self._train[1][chosen]
        if case.text.label_noise:
            targets = misprint(self._rng, targets, case.text.label_noise)
        # Overflows are the point of some cases, and not worth a warning.
        with np.errstate(all="ignore"):
            loss, gradients = self.model.gradients(contexts, targets)
            length = norm(gradients)
            if case.clip is not None and length > case.clip:
                gradients = {
                    name: gradient * np.float32(case.clip / length)
                    for name, gradient in gradients.items()
                }
            rate = case.rate.at(self.steps_done, case.steps)
            self._optimizer.step(self.model.parameters, gradients, rate)
        return StepResult(loss, length, rate)

    def evaluate(self) -> EvalResult:
        """Evaluate the model on the eval text, which it is not trained on."""
        contexts, targets = self._eval
        with np.errstate(all="ignore"):
            probabilities = self.model.probabilities(contexts)
            loss = cross_entropy(probabilities, targets)
        right = probabilities.argmax(axis=1) == targets
        return EvalResult(loss, float(right.mean()))

    def write(self, length: int = 60, start: str = "the old ") -> str:
        """Return a text that the model continues, sampled character by character."""
        codes = encode(start)
        with np.errstate(all="ignore"):
            for _ in range(length):
                context: Codes = codes[np.newaxis, -CONTEXT:]
                shares = self.model.probabilities(context)[0].astype(np.float64) ** SHARPNESS
                if not np.isfinite(shares).all():
                    break
                drawn = self._writer.choice(len(shares), p=shares / shares.sum())
                codes = np.append(codes, drawn)
        return decode(codes)


def _batches(rng: Generator, examples: int, size: int) -> Iterator[Codes]:
    """Yield the examples of each batch: every one once per epoch, in a new order."""
    order = rng.permutation(examples)
    start = 0
    while True:
        if start + size > examples:
            order, start = rng.permutation(examples), 0
        yield order[start : start + size]
        start += size
