"""One run of series as no training logs them: fed to the diagnosis, which must stay sound."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from lossmon.diagnosis.engine import Engine
from lossmon.types import Floats, Ints
from tests.diagnosis.feeding import EVAL, ORDER, TRAIN, Curve, assert_sound, columns
from tests.fuzz.case import tried

EXTREMES = (0.0, -0.0, 5e-324, 1e-300, 1.0, -1.0, 1e300, -1.7e308, np.nan, np.inf, -np.inf)

LENGTHS = ((1, 6), (1, 6), (4, 30), (4, 30), (20, 120))
"""Ranges of the usual lengths: the short ones are judged at every point and cost little."""

LONG, RARELY = 20_000, 1000
"""Points of a very long series, and of how many series one is as long."""

Shape = Callable[[np.random.Generator, int], Floats]


def constant(dice: np.random.Generator, n: int) -> Floats:
    """One number again and again, finite or not."""
    return np.full(n, dice.choice(EXTREMES))


def mixed(dice: np.random.Generator, n: int) -> Floats:
    """Extremes among ordinary values."""
    values = dice.random(n)
    odd = dice.random(n) < dice.choice((0.05, 0.5, 1.0))
    return np.where(odd, dice.choice(EXTREMES, n), values)


def scattered(dice: np.random.Generator, n: int) -> Floats:
    """Noise about zero, of any size."""
    return dice.standard_normal(n) * 10.0 ** int(dice.integers(-320, 308))


def alternating(dice: np.random.Generator, n: int) -> Floats:
    """Signs that turn at every point."""
    return (-1.0) ** np.arange(n) * dice.random() + dice.choice((0.0, 0.5, -3.0))


def falling(dice: np.random.Generator, n: int) -> Floats:
    """A descent, some of them below zero, to zero or up again."""
    shape = np.exp(-np.linspace(0, float(dice.choice((0.01, 1, 8, 700, -6, -700))), n))
    shifted = shape * 10.0 ** float(dice.integers(-8, 9)) - dice.choice((0.0, 0.5, 1e6))
    return np.asarray(shifted + dice.choice((0.0, 0.02, 0.5)) * dice.standard_normal(n))


def walking(dice: np.random.Generator, n: int) -> Floats:
    """A random walk of the logarithm."""
    return np.exp(np.clip(dice.standard_normal(n).cumsum() * dice.choice((0.1, 1, 50)), -700, 700))


def collapsing(dice: np.random.Generator, n: int) -> Floats:
    """Ordinary values, and from somewhere on nothing but zeros or a far higher level."""
    at = int(dice.integers(0, n + 1))
    return np.where(np.arange(n) < at, dice.random(n) + 1, dice.choice((0.0, 1e-320, 1e9)))


SHAPES: tuple[Shape, ...] = (
    constant, mixed, scattered, alternating, falling, falling, walking, collapsing
)  # fmt: skip


def run(seed: int) -> None:
    """Judge the run of a seed, now and then in the middle; raises where anything is unsound."""
    dice = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        curves = _curves(dice)
    engine = Engine(float(dice.choice((0.1, 1.0, 1.0, 10.0))))
    engine.plan(int(dice.integers(1, 300)) if dice.random() < 0.5 else None)
    fed = columns(engine, curves)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in _parts(dice, len(fed[0])):
            engine.feed(*(column[part] for column in fed))
            if dice.random() < 0.1:
                engine.restart(int(dice.integers(0, 50)))
            if dice.random() < 0.2:
                _look(engine, ended=False)
        _look(engine, ended=True)


def run_all(seeds: range) -> list[str | None]:
    """Judge the runs of several seeds: a report of each fault, None where there is none."""
    return [tried(run, seed) for seed in seeds]


def _curves(dice: np.random.Generator) -> dict[str, Curve]:
    low, high = LENGTHS[int(dice.integers(len(LENGTHS)))]
    length = LONG if dice.random() < 1 / RARELY else int(dice.integers(low, high))
    chosen = [one for one in ORDER if dice.random() < (0.8 if one in (TRAIN, EVAL) else 0.15)]
    curves: dict[str, Curve] = {}
    for meaning in chosen or (EVAL,):
        n = max(1, int(length * float(dice.choice((1.0, 1.0, 0.3)))))
        shape = SHAPES[int(dice.integers(len(SHAPES)))]
        curves[meaning.key] = _steps(dice, n), shape(dice, n)
    return curves


def _steps(dice: np.random.Generator, n: int) -> Ints:
    """Steps that do not decrease: one by one, with gaps, repeated or enormous."""
    gap = int(dice.choice((1, 1, 10, 0)))
    if gap:
        return gap * np.arange(n, dtype=np.int64) + int(dice.choice((0, 1, 10**15)))
    return np.sort(dice.integers(0, int(dice.choice((1, 50, 10**6))), n))


def _parts(dice: np.random.Generator, n: int) -> list[slice]:
    """Slices of all points, one to three."""
    cuts = sorted({0, n, *dice.integers(0, n + 1, int(dice.integers(0, 3))).tolist()})
    return [slice(a, b) for a, b in pairwise(cuts)]


def _look(engine: Engine, *, ended: bool) -> None:
    diagnosis = engine.diagnosis(ended=ended)
    assert_sound(diagnosis)
    json.dumps([finding.facts for finding in diagnosis.findings], allow_nan=False)
