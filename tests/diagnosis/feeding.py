"""Small curves with a known shape, and the way they reach the engine."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from lossmon.diagnosis.advice import advise
from lossmon.diagnosis.engine import Engine
from lossmon.locale import languages
from lossmon.types import Diagnosis, Floats, Ints, Kind, Meaning, Split

RATE = Meaning("learning_rate", "learning rate", Split.TRAIN, Kind.LEARNING_RATE)
GRADIENT = Meaning("grad_norm", "gradient norm", Split.TRAIN, Kind.GRAD_NORM)
TRAIN = Meaning("train/loss", "train loss", Split.TRAIN, Kind.LOSS, lower_is_better=True)
EVAL = Meaning("eval/loss", "eval loss", Split.EVAL, Kind.LOSS, lower_is_better=True)
ACCURACY = Meaning("eval/accuracy", "eval accuracy", Split.EVAL, Kind.METRIC, lower_is_better=False)
REWARD = Meaning("train/reward", "reward", Split.TRAIN, Kind.METRIC, lower_is_better=False)
POLICY = tuple(
    Meaning(f"train/{name}", name, Split.TRAIN, Kind.OTHER)
    for name in (
        *("kl", "approx_kl", "actor_kl_loss", "entropy", "entropy_loss", "frac_reward_zero_std"),
        *("completions_mean_length", "completions_clipped_ratio"),
    )
)
ORDER = (RATE, GRADIENT, TRAIN, EVAL, ACCURACY, REWARD, *POLICY)

Curve = tuple[Sequence[float] | Floats, Sequence[float] | Floats]
Columns = tuple[Ints, Ints, Floats]


def columns(engine: Engine, curves: dict[str, Curve]) -> Columns:
    """Points of several series, `name: (steps, values)`, merged by step as a log holds them."""
    rows = []
    for rank, meaning in enumerate(ORDER):
        if meaning.key not in curves:
            continue
        number = engine.channel(meaning, headline=meaning in (TRAIN, EVAL))
        steps, values = curves[meaning.key]
        rows += [
            (int(step), rank, number, float(value))
            for step, value in zip(steps, values, strict=True)
        ]
    rows.sort(key=lambda row: row[:2])
    return (
        np.array([row[2] for row in rows], np.int64),
        np.array([row[0] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.float64),
    )


def diagnose(
    curves: dict[str, Curve],
    sensitivity: float = 1.0,
    *,
    total: int | None = None,
    ended: bool = False,
) -> Diagnosis:
    """What the engine says of whole curves, of a run that is planned to `total` steps."""
    engine = Engine(sensitivity)
    engine.plan(total)
    engine.feed(*columns(engine, curves))
    return engine.diagnosis(ended=ended)


def assert_sound(diagnosis: Diagnosis) -> None:
    """Every number is finite, and every finding can be put in words."""
    for finding in diagnosis.findings:
        numbers = [fact for fact in finding.facts.values() if isinstance(fact, float)]
        assert all(math.isfinite(number) for number in numbers), finding
        for language in languages():
            words = advise(finding, language)
            text = " ".join((words.evidence, words.meaning, *words.remedies))
            assert not re.search(r"–|\b(?:nan|inf)\b", text), text
    if diagnosis.forecast is not None:
        ends = diagnosis.forecast
        assert all(math.isfinite(end) for end in (ends.final_loss, ends.low, ends.high))


def noisy(level: Floats, share: float, seed: int = 0) -> Floats:
    """A curve with scatter in proportion to its level."""
    random = np.random.default_rng(seed)
    return np.asarray(level * np.exp(share * random.standard_normal(len(level))))


def falling(n: int, start: float = 2.5, end: float = 0.5, pace: float = 4.0) -> Floats:
    """An exponential descent that has all but arrived after a `pace`-th of the run."""
    along = np.linspace(0, 1, n)
    return np.asarray(end + (start - end) * np.exp(-pace * along))


def run(
    train: Floats, evals: Floats | None = None, *, every: int = 1, noise: float = 0.03
) -> dict[str, Curve]:
    """Train loss at steps 1, 1 + every, ... and evals spread evenly over the same steps."""
    steps = 1 + every * np.arange(len(train))
    curves: dict[str, Curve] = {"train/loss": (steps, noisy(train, noise))}
    if evals is not None:
        places = np.linspace(steps[-1] / len(evals), steps[-1], len(evals)).astype(int)
        curves["eval/loss"] = (places, noisy(evals, noise / 10, seed=1))
    return curves
