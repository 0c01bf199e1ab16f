"""Curves of a policy: what reinforcement learning logs beside a loss that says little."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

import numpy as np

from lossmon.diagnosis.curve_stats import median, running_median
from lossmon.types import Floats


class PolicyQuantity(StrEnum):
    """What a policy is judged by."""

    REWARD = "reward"
    """Mean reward or return of the samples."""
    KL = "kl"
    """KL divergence from the reference policy, in nats."""
    UPDATE_KL = "update_kl"
    """KL divergence of one update, in nats."""
    ENTROPY = "entropy"
    """Entropy of the policy, in nats."""
    ENTROPY_LOSS = "entropy_loss"
    """The same with the sign turned, as Stable-Baselines3 logs it."""
    LENGTH = "length"
    """Mean length of the sampled responses, in tokens."""
    CLIPPED = "clipped"
    """Share of the responses cut off at the longest length."""
    ZERO_STD = "zero_std"
    """Share of the groups of samples whose rewards are all equal."""


_SPELLINGS = (
    (PolicyQuantity.ZERO_STD, r"frac_reward_zero_std"),
    (PolicyQuantity.CLIPPED, r"completions?_clipped_ratio|response_length_clip_ratio"),
    (PolicyQuantity.CLIPPED, r"clipped_ratio"),
    (PolicyQuantity.LENGTH, r"completions?_(?:mean_)?length|response_length(?:_mean)?"),
    (PolicyQuantity.UPDATE_KL, r"(?:losses_|policy_)?(?:ppo|approx)_?kl(?:_avg)?"),
    (PolicyQuantity.KL, r"(?:objective_|mean_|critic_)?kl|actor_kl_loss"),
    (PolicyQuantity.ENTROPY_LOSS, r"entropy_loss"),
    (PolicyQuantity.ENTROPY, r"(?:actor_|policy_|objective_|losses_)?entropy(?:_mean)?"),
    (PolicyQuantity.REWARD, r"(?:episode_|mean_|average_)?(?:reward|return)"),
    (PolicyQuantity.REWARD, r"critic_(?:score|rewards)(?:_mean)?|objective_rlhf_reward"),
)
"""What each quantity is called: https://huggingface.co/docs/trl/grpo_trainer and /ppo_trainer,
https://verl.readthedocs.io, https://stable-baselines3.readthedocs.io (logger)."""

_COMPILED = tuple((quantity, re.compile(pattern)) for quantity, pattern in _SPELLINGS)


NAMES = 1 << 14
"""Names whose meaning is remembered: that of thousands of metrics is asked for again and again."""


@lru_cache(NAMES)
def policy_quantity(key: str) -> PolicyQuantity | None:
    """The quantity that a key such as `train/reward` stands for, or None."""
    name = key.rpartition("/")[2].lower()
    for quantity, pattern in _COMPILED:
        if pattern.fullmatch(name):
            return quantity
    return None


FIRST = 0.06
"""Share of a curve that is its start."""

NEWEST = 0.15
"""Share of a curve that is its present level: rewards of few samples are noisy."""

LEAST = 3
"""Points that a level is taken from at least."""


class PolicyCurve:
    """One quantity of a policy.

    Attributes:
        x: Steps.
        y: Values.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self.x = x
        self.y = y

    def __len__(self) -> int:
        return len(self.y)

    @property
    def start(self) -> float:
        """Level of the first points."""
        return median(self.y[: max(LEAST, int(FIRST * len(self.y)))])

    @property
    def now(self) -> float:
        """Present level."""
        return median(self.y[-max(LEAST, int(NEWEST * len(self.y))) :])

    def level(self, start: float, end: float) -> float:
        """Level between two shares of the curve."""
        n = len(self.y)
        return median(self.y[int(start * n) : max(int(end * n), int(start * n) + 1)])

    @property
    def smooth(self) -> Floats:
        """Running median over a tenth of the curve."""
        window = max(LEAST, len(self.y) // 10) | 1
        return running_median(self.y, window) if len(self.y) > window else self.y

    @property
    def noise(self) -> float:
        """Typical distance of neighbouring points."""
        return median(np.abs(np.diff(self.y))) if len(self.y) > 1 else 0.0

    @property
    def drift(self) -> float:
        """Typical change over a tenth of the curve, at least `noise`.

        An average over the last hundred episodes hardly moves from one point to the next, and
        wanders far all the same.
        """
        lag = max(1, len(self.y) // 10)
        return max(self.noise, median(np.abs(self.y[lag:] - self.y[:-lag])))

    def onset(self, holds: np.ndarray) -> int:
        """Step from which a condition on `smooth` has held to the end."""
        breaks = np.flatnonzero(~holds)
        at = int(breaks[-1]) + 1 if len(breaks) else 0
        return int(self.x[min(at, len(self.x) - 1)])
