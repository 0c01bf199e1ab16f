"""Corpus of a small artificial language, for training and evaluation."""

from __future__ import annotations

import string

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
        rng: Random generator.
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
