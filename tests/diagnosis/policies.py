"""Curves of policies in reinforcement learning, healthy and not."""

from __future__ import annotations

import numpy as np

from lossmon.types import Floats
from tests.diagnosis.feeding import Curve, noisy

STEPS = np.arange(1, 121)
ALONG = np.linspace(0, 1, len(STEPS))


def policy(**changed: Floats) -> dict[str, Curve]:
    """A policy whose reward rises and whose KL, entropy and lengths stay in bounds."""
    usual = {
        "loss": 0.01 * np.cos(STEPS),
        "reward": 1 - 0.9 * np.exp(-4 * ALONG),
        "kl": 0.4 * ALONG,
        "entropy": 2.0 - ALONG,
        "completions_mean_length": 200 + 20 * ALONG,
        "frac_reward_zero_std": 0.1 + 0.2 * ALONG,
    }
    scatter = {"reward": 0.03, "loss": 0.0}
    return {
        f"train/{name}": (STEPS, noisy(values, scatter.get(name, 0.05), seed=at))
        for at, (name, values) in enumerate({**usual, **changed}.items())
    }


def late(rise: float) -> Floats:
    """0 for the first 60 %, then a straight rise."""
    return np.asarray(rise * np.clip((ALONG - 0.6) / 0.4, 0, None))


POLICIES = {
    "not_judged": policy(),
    "reward_collapse": policy(reward=0.2 + 0.8 * np.minimum(3 * ALONG, 1) - late(1.5)),
    "kl_blowup": policy(reward=np.minimum(0.2 + 2 * ALONG, 0.8), kl=0.2 + late(9.0)),
    "entropy_collapse": policy(entropy=2.0 * np.exp(-8 * ALONG)),
    "length_explosion": policy(completions_mean_length=200 + 700 * ALONG),
    "zero_variance_groups": policy(
        reward=np.full(120, 0.1), frac_reward_zero_std=np.full(120, 0.93)
    ),
    "reward_hacking": policy(kl=1.5 * ALONG, completions_mean_length=200 + 180 * ALONG),
}
"""The curves that show each verdict, by its code."""
