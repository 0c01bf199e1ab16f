"""Character-level language model in numpy with explicit gradients, its optimizer and corpus."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

ALPHABET = " ." + string.ascii_lowercase
"""Characters of the texts; the number of classes is its length."""

CONTEXT = 8
"""Characters that the model sees before the one it predicts."""

Codes = NDArray[np.int64]


def _words(written: str) -> tuple[str, ...]:
    return tuple(written.split())


_SIZES = _words("old small tall quiet young tired clever broken yellow heavy patient hungry")
_BEINGS = _words("fox sailor child baker horse painter wolf doctor farmer robin teacher miller")
_DEEDS = _words("found carried painted followed forgot repaired watched counted lost sold")
_THINGS = _words("lantern basket letter boat ladder mirror violin kettle blanket compass hammer")
_PLACES = _words("river garden harbour market forest bridge kitchen station tower meadow island")
_LINKS = _words("near behind under beside across before")
_TIMES = _words("today later again tomorrow soon twice slowly proudly")


def _sentence(rng: Generator) -> str:
    """One sentence of the grammar."""

    def pick(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    subject = f"the {pick(_SIZES)} {pick(_BEINGS)}"
    act = f"{pick(_DEEDS)} the {pick(_THINGS)}"
    ending = f"{pick(_LINKS)} the {pick(_PLACES)}" if rng.random() < 0.7 else pick(_TIMES)
    return f"{subject} {act} {ending}. "


def _password(rng: Generator) -> str:
    """A sentence of unpredictable characters."""
    letters = rng.integers(2, len(ALPHABET), size=24)
    return "".join(ALPHABET[letter] for letter in letters) + ". "


def text(rng: Generator, sentences: int, *, passwords: float = 0.0) -> str:
    """Return random sentences.

    Args:
        sentences: Number of sentences.
        passwords: Share of them, 0 to 1, that are passwords.
    """
    return "".join(
        _password(rng) if rng.random() < passwords else _sentence(rng) for _ in range(sentences)
    )


def encode(written: str) -> Codes:
    """Return the index of each character in `ALPHABET`."""
    return np.array([ALPHABET.index(letter) for letter in written], np.int64)


def decode(codes: Codes) -> str:
    """Return the characters of indices in `ALPHABET`."""
    return "".join(ALPHABET[code] for code in codes)


def misprint(rng: Generator, codes: Codes, share: float) -> Codes:
    """Return a copy in which a share of the characters, 0 to 1, is replaced by random ones."""
    wrong = rng.random(codes.shape) < share
    return np.where(wrong, rng.integers(len(ALPHABET), size=codes.shape), codes)


def windows(codes: Codes) -> tuple[Codes, Codes]:
    """Return every context of the text and the character that follows it.

    Returns:
        `(contexts, targets)` of shapes (n, CONTEXT) and (n,).
    """
    contexts = np.lib.stride_tricks.sliding_window_view(codes[:-1], CONTEXT)
    return contexts, codes[CONTEXT:]


Array = NDArray[np.float32]
Parameters = dict[str, Array]

EMBEDDING = 12
"""Size of the embedding of a character."""

_LETTERS = np.eye(len(ALPHABET), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Options of the model.

    Attributes:
        hidden: Units of the hidden layer.
        activation: Non-linearity of the hidden layer.
        hidden_bias: Initial biases; far below zero, a relu never activates.
        half_precision: Compute the output layer in float16, with a softmax that does not
            subtract its maximum first: the mistake that makes float16 overflow.
    """

    hidden: int = 128
    activation: Literal["relu", "tanh"] = "relu"
    hidden_bias: float = 0.0
    half_precision: bool = False


class Model:
    """Predicts the next character from the last `CONTEXT`: embedding, hidden layer, softmax."""

    def __init__(self, shape: ModelShape, rng: Generator) -> None:
        self.shape = shape
        inputs = EMBEDDING * CONTEXT
        self.parameters: Parameters = {
            "embedding": _normal(rng, (len(ALPHABET), EMBEDDING), 1.0),
            "hidden": _normal(rng, (inputs, shape.hidden), (2.0 / inputs) ** 0.5),
            "hidden_bias": np.full(shape.hidden, shape.hidden_bias, np.float32),
            "output": _normal(rng, (shape.hidden, len(ALPHABET)), 0.1 / shape.hidden**0.5),
            "output_bias": np.zeros(len(ALPHABET), np.float32),
        }

    def probabilities(self, contexts: Codes) -> Array:
        """Return the distribution of the next character, one row per context."""
        return self._softmax(self._forward(contexts)[2])

    def gradients(self, contexts: Codes, targets: Codes) -> tuple[float, Mapping[str, Array]]:
        """Return the mean cross-entropy of a batch, in nats, and its gradients."""
        inputs, hidden, logits = self._forward(contexts)
        probabilities = self._softmax(logits)
        loss = cross_entropy(probabilities, targets)
        error = probabilities.copy()
        error[np.arange(len(targets)), targets] -= 1.0
        error /= len(targets)
        back = error @ self.parameters["output"].T
        back *= (hidden > 0.0) if self.shape.activation == "relu" else 1.0 - hidden * hidden
        embedded = (back @ self.parameters["hidden"].T).reshape(-1, EMBEDDING)
        return loss, {
            # One product with rows of a unit matrix is ten times as fast as adding in place.
            "embedding": _LETTERS[contexts.reshape(-1)].T @ embedded,
            "hidden": inputs.T @ back,
            "hidden_bias": back.sum(axis=0),
            "output": hidden.T @ error,
            "output_bias": error.sum(axis=0),
        }

    def _forward(self, contexts: Codes) -> tuple[Array, Array, Array]:
        parameters = self.parameters
        inputs = parameters["embedding"][contexts].reshape(len(contexts), -1)
        before = inputs @ parameters["hidden"] + parameters["hidden_bias"]
        hidden = np.maximum(before, 0.0) if self.shape.activation == "relu" else np.tanh(before)
        return inputs, hidden, hidden @ parameters["output"] + parameters["output_bias"]

    def _softmax(self, logits: Array) -> Array:
        if self.shape.half_precision:
            powers = np.exp(logits.astype(np.float16))
            halves: Array = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
            return halves
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Array = powers / powers.sum(axis=1, keepdims=True)
        return shares


def cross_entropy(probabilities: Array, targets: Codes) -> float:
    """Return the mean of -ln(probability of the right character), in nats."""
    right = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def _normal(rng: Generator, shape: tuple[int, int], scale: float) -> Array:
    return (rng.standard_normal(shape) * scale).astype(np.float32)


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
