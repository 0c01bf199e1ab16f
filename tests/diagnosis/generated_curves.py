"""Curves of random shape: falls, rises, spikes, swings, schedules, policies, in all mixtures."""

from __future__ import annotations

import numpy as np

from lossmon.types import Floats
from tests.diagnosis.feeding import Curve
from tests.diagnosis.policies import ALONG, late, policy

Random = np.random.Generator


def generated(seed: int) -> dict[str, Curve]:
    """The curves of one run; the same for the same seed."""
    random = np.random.default_rng(seed)
    return _policy(random) if seed % 8 == 7 else _supervised(random)


def _supervised(random: Random) -> dict[str, Curve]:
    n = int(random.choice([12, 40, 120, 300]))
    along = np.linspace(0, 1, n)
    steps = np.arange(1, n + 1) * int(random.choice([1, 10]))
    end = float(10 ** random.uniform(-3, 0.5))
    drop = end * float(10 ** random.uniform(-1.5, 1.5))
    shape = end + drop * np.exp(-random.uniform(0.5, 12) * along)
    noise = float(10 ** random.uniform(-3, -0.6))
    train = _disturbed(random, shape, along)
    curves: dict[str, Curve] = {"train/loss": (steps, _scattered(random, train, noise))}
    follow = random.random() < 0.3 and bool(np.isfinite(train).all())
    _add_evals(random, curves, steps, train if follow else shape, noise)
    if random.random() < 0.4:
        curves["learning_rate"] = (steps, _schedule(random, along))
    if random.random() < 0.3:
        gradient = np.exp(0.2 * random.standard_normal(n))
        if random.random() < 0.3:
            gradient[random.integers(n) :] = random.choice([np.nan, 100.0])
        curves["grad_norm"] = (steps, gradient)
    if random.random() < 0.15:
        lift = 2 * float(np.nanmax(np.abs(shape)))
        curves = {
            name: (at, np.asarray(values) - lift) if name.endswith("loss") else (at, values)
            for name, (at, values) in curves.items()
        }
    return curves


def _disturbed(random: Random, shape: Floats, along: Floats) -> Floats:
    """A loss with one of the things that happen to a loss, or none."""
    n, at, size = len(shape), int(random.integers(len(shape))), 10 ** random.uniform(-1.5, 1.5)
    level = shape.copy()
    after = np.arange(n) >= at
    match random.integers(9):
        case 0:
            level[at : at + int(random.integers(1, 4))] *= 1 + size
        case 1:
            level += shape * size * np.clip(along - along[at], 0, None)
        case 2:
            level[after] = shape[at] * (1 + size)
        case 3:
            level *= 1 + np.clip(size, 0, 0.9) * np.sin(along * random.uniform(20, 200))
        case 4:
            level[after] = random.choice([np.nan, np.inf, 0.0])
        case 5:
            level[:] = shape[0]
        case 6:
            level[after] *= np.exp(-8 * (along[after] - along[at]))
    return level


def _add_evals(
    random: Random, curves: dict[str, Curve], steps: Floats, shape: Floats, noise: float
) -> None:
    count = int(random.choice([0, 2, 5, 12, 30]))
    if not count:
        return
    at = np.unique(np.linspace(0, len(steps) - 1, count + 1)[1:].astype(int))
    along = at / len(steps)
    evals = shape[at] * random.choice([0.3, 1.0, 1.05, 1.3, 4.0])
    match random.integers(4):
        case 0 | 1:
            begin, rise = random.uniform(0, 0.9), 10 ** random.uniform(-2, 1)
            evals += evals.min() * rise * np.clip((along - begin) / (1 - begin), 0, None)
        case 2:
            evals[:] = evals[0] * random.uniform(0.9, 1.1)
    values = _scattered(random, evals, noise * random.uniform(0.05, 1))
    curves["eval/loss"] = (steps[at], values)
    if random.random() < 0.4:
        slope = random.uniform(-0.3, 0.5)
        score = 0.5 + slope * along + 0.01 * random.standard_normal(len(at))
        curves["eval/accuracy"] = (steps[at], score)
    if random.random() < 0.1:
        del curves["train/loss"]


def _schedule(random: Random, along: Floats) -> Floats:
    peak = 10 ** random.uniform(-5, -1)
    warm = np.minimum(along / 0.1, 1)
    match random.integers(4):
        case 0:
            return np.full(len(along), peak)
        case 1:
            return np.asarray(peak * warm * (1 + np.cos(np.pi * along)) / 2)
        case 2:
            return np.asarray(peak * warm)
    return np.asarray(peak * 0.1 ** np.floor(3 * along))


def _scattered(random: Random, level: Floats, noise: float) -> Floats:
    return np.asarray(level * np.exp(noise * random.standard_normal(len(level))))


def _policy(random: Random) -> dict[str, Curve]:
    changes = {
        "reward": 0.2 + random.uniform(0, 1) * ALONG - late(random.uniform(0, 2)),
        "kl": random.uniform(0, 2) * ALONG + late(random.choice([0.0, 1.0, 10.0])),
        "entropy": 2.0 * np.exp(-random.uniform(0, 10) * ALONG),
        "completions_mean_length": 200 + random.uniform(-50, 900) * ALONG,
        "frac_reward_zero_std": np.full(len(ALONG), random.uniform(0, 1)),
    }
    return policy(**{name: values for name, values in changes.items() if random.random() < 0.6})
