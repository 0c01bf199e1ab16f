"""State of the engine for one run: its binned curves and the few facts that bins cannot hold."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import field
from enum import Enum, auto
from functools import lru_cache

import numpy as np

from lossmon.diagnosis.binned_curve import LAST, MEAN, BinnedCurve
from lossmon.diagnosis.policy_curves import NAMES, PolicyQuantity, policy_quantity
from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints, Kind, Meaning, Split

RECENT = 64
"""Newest train points kept raw: enough to distinguish a lone spike from a level that stays up."""

FIRST_POINTS = 32
"""First train points kept raw: where the loss came from does not move while the run grows."""

START_POINTS = (3, 10, FIRST_POINTS)
"""Numbers of first points whose medians may show a higher start than the mean does."""

SHORT = 8
"""Up to this many points of one series, a plain loop is faster than numpy's calls."""

METRICS = 8
"""Metrics judged beside the loss; a run that logs more is judged by the first ones."""


class Role(Enum):
    """What the engine does with a series."""

    IGNORED = auto()
    TRAIN = auto()
    EVAL = auto()
    RATE = auto()
    GRADIENT = auto()
    METRIC = auto()
    REWARD = auto()
    POLICY = auto()


class LossKind(Enum):
    """Which rules a loss can be judged by."""

    PLAIN = auto()
    """Lower is better, and what the model learns shows in it."""
    REWARD = auto()
    """Reinforcement learning: the loss carries little information."""
    ADVERSARIAL = auto()
    """Two networks against each other: neither loss is expected to fall."""
    SUMMED = auto()
    """The script adds the train loss up and prints the sum so far, anew in each epoch."""
    PREFERENCE = auto()
    """DPO and similar: the eval loss may rise while preferences improve."""


@dataclass(slots=True)
class NonFiniteLoss:
    """A loss that was NaN or infinite, or printed as 0.0 while its gradient was NaN."""

    step: int
    what: str
    times: int = 1


@dataclass(slots=True)
class Channel:
    """One series that the engine follows."""

    key: str
    role: Role
    curve: BinnedCurve | None = None
    lower_is_better: bool = True


@dataclass(slots=True)
class EngineState:
    """What is known of one run; constant in size."""

    train: BinnedCurve = field(default_factory=BinnedCurve)
    eval: BinnedCurve = field(default_factory=BinnedCurve)
    rate: BinnedCurve = field(default_factory=BinnedCurve)
    metrics: list[Channel] = field(default_factory=list)
    policy: dict[PolicyQuantity, Channel] = field(default_factory=dict)
    recent: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=RECENT))
    first_points: list[tuple[int, float]] = field(default_factory=list)
    kind: LossKind = LossKind.PLAIN
    non_finite: NonFiniteLoss | None = None
    bad_gradient_step: int = -1
    bad_gradients: int = 0
    first_medians: list[tuple[int, float]] = field(default_factory=list)
    """Medians of the first points, after how many each."""
    repeats: int = 0
    last_change: float = math.inf
    """Distance of the newest train loss from the last one that differed."""
    last_restart: int | None = None
    total_steps: int | None = None
    last_step: int = 0
    first: int | None = None

    @property
    def has_non_finite(self) -> bool:
        """Whether a loss or a gradient norm was not finite."""
        return self.non_finite is not None or self.bad_gradient_step >= 0

    def add_loss(self, role: Role, step: int, value: float) -> bool:
        """Add one loss value; True if it calls for a judgement at once."""
        self.note_step(step)
        if not math.isfinite(value):
            self._mark_non_finite(step, "train loss" if role is Role.TRAIN else "eval loss")
            return True
        if role is Role.EVAL:
            # Once the loss is NaN behind a printed 0.0, so are the evals printed as 0.0.
            if value != 0.0 or self.non_finite is None:
                self.eval.append(step, value)
            return False
        return self._add_train(step, value)

    def _add_train(self, step: int, value: float) -> bool:
        hidden = value == 0.0 and self.bad_gradient_step == step
        if hidden:
            # HF Trainer prints a NaN loss as 0.0 by default. With a NaN gradient norm at the same
            # step a 0.0 has no innocent reading, so one is enough.
            self._mark_non_finite(step, "masked")
            return True
        if self.recent and value == self.recent[-1][1]:
            self.repeats += 1
        else:
            self.repeats = 0
            self.last_change = abs(value - self.recent[-1][1]) if self.recent else math.inf
        self.recent.append((step, value))
        if len(self.first_points) < FIRST_POINTS:
            self._add_first_points([(step, value)])
        self.train.append(step, value)
        return False

    def _mark_non_finite(self, step: int, what: str) -> None:
        if self.non_finite is None:
            self.non_finite = NonFiniteLoss(step, what)
        else:
            self.non_finite.times += 1

    def add_gradient_norm(self, step: int, value: float) -> None:
        """Add one gradient norm."""
        self.note_step(step)
        if math.isfinite(value):
            self.bad_gradients = max(self.bad_gradients - 1, 0)
        else:
            self.bad_gradient_step = step
            self.bad_gradients += 3

    def add_other(self, channel: Channel, step: int, value: float) -> None:
        """Add one finite learning rate or metric."""
        self.note_step(step)
        curve = self.rate if channel.role is Role.RATE else channel.curve
        if curve is not None:
            curve.append(step, value)

    def add_column(self, channel: Channel, steps: Ints, values: Floats) -> None:
        """Add a column of one series: finite, and without a 0.0 that may stand for NaN."""
        role = channel.role
        if len(values) <= SHORT:
            for step, value in zip(steps.tolist(), values.tolist(), strict=True):
                if role in (Role.TRAIN, Role.EVAL):
                    self.add_loss(role, step, value)
                elif role is Role.GRADIENT:
                    self.add_gradient_norm(step, value)
                else:
                    self.add_other(channel, step, value)
            return
        least = int(steps.min())
        self.first = least if self.first is None else min(self.first, least)
        self.last_step = max(self.last_step, int(steps.max()))
        if role is Role.TRAIN:
            self._add_train_column(steps, values)
        elif role is Role.EVAL:
            self.eval.extend(steps, values)
        elif role is Role.GRADIENT:
            self.bad_gradients = max(self.bad_gradients - len(values), 0)
        else:
            curve = self.rate if role is Role.RATE else channel.curve
            if curve is not None:
                curve.extend(steps, values)

    def _add_train_column(self, steps: Ints, values: Floats) -> None:
        before = self.recent[-1][1] if self.recent else None
        changes = np.flatnonzero(values[1:] != values[:-1])
        if len(changes):
            at = int(changes[-1])
            self.repeats = len(values) - 2 - at
            self.last_change = abs(float(values[at + 1] - values[at]))
        elif before is not None and before == values[0]:
            self.repeats += len(values)
        else:
            self.repeats = len(values) - 1
            self.last_change = math.inf if before is None else abs(float(values[0]) - before)
        if (left := FIRST_POINTS - len(self.first_points)) > 0:
            head = zip(steps[:left].tolist(), values[:left].tolist(), strict=True)
            self._add_first_points(list(head))
        tail = slice(-RECENT, None)
        self.recent.extend(zip(steps[tail].tolist(), values[tail].tolist(), strict=True))
        self.train.extend(steps, values)

    def _add_first_points(self, points: list[tuple[int, float]]) -> None:
        self.first_points.extend(points)
        known = len(self.first_medians)
        for n in START_POINTS[known:]:
            if n <= len(self.first_points):
                first = sorted(value for _, value in self.first_points[:n])
                self.first_medians.append((n, first[n // 2]))

    def note_step(self, step: int) -> None:
        """Note how far the run has come."""
        if self.first is None or step < self.first:
            self.first = step
        if step > self.last_step:
            self.last_step = step

    def truncate(self, step: int) -> None:
        """Void everything logged at or beyond `step`."""
        for curve in (self.train, self.eval, self.rate):
            curve.truncate(step)
        for channel in (*self.metrics, *self.policy.values()):
            if channel.curve:
                channel.curve.truncate(step)
        while self.recent and self.recent[-1][0] >= step:
            self.recent.pop()
        if not self.recent:
            self._refill_recent()
        while self.first_points and self.first_points[-1][0] >= step:
            self.first_points.pop()
        self.first_medians = [one for one in self.first_medians if one[0] <= len(self.first_points)]
        if self.non_finite and self.non_finite.step >= step:
            self.non_finite = None
        self.repeats = 0
        self.last_step = min(self.last_step, step)
        self.last_restart = step

    def _refill_recent(self) -> None:
        """Use the newest bins as the newest points, where a far restart left none."""
        for row in self.train.bins[-RECENT:].tolist():
            self.recent.append((int(row[LAST]), row[MEAN]))


def role_of(meaning: Meaning, headline: bool) -> Role:
    """What a series is for the engine."""
    if meaning.summary:
        return Role.IGNORED
    quantity = None if meaning.split is Split.EVAL else policy_quantity(meaning.key)
    if quantity is not None and not (headline and meaning.kind is Kind.LOSS):
        return Role.REWARD if quantity is PolicyQuantity.REWARD else Role.POLICY
    if meaning.kind is Kind.LOSS:
        if not headline:
            return Role.IGNORED
        return Role.EVAL if meaning.split is Split.EVAL else Role.TRAIN
    if meaning.kind is Kind.LEARNING_RATE:
        return Role.RATE
    if meaning.kind is Kind.GRAD_NORM:
        return Role.GRADIENT
    if meaning.kind is Kind.METRIC and meaning.lower_is_better is not None:
        return Role.METRIC if meaning.split is Split.EVAL else Role.IGNORED
    return Role.IGNORED


_REWARD_WORDS = (
    "reward",
    "rollout",
    "ep_rew",
    "policy_loss",
    "train/rl_loss",
    "value_loss",
    "advantage",
    "clip_ratio",
)
_PREFERENCE = re.compile(
    r"(?:rewards|logps|logits)[/_](?:chosen|rejected)"
    r"|rewards[/_](?:margins|accuracies)|reward_(?:margin|accuracy)"
)
"""Trainers print `rewards/chosen`, and readers make `rewards_chosen` and `reward_accuracy` of
it."""
_ADVERSARIAL = re.compile(
    r"(?:^|[^a-z0-9])(?:(?:net_?)?[dg]_loss|loss[_/]?(?:net_?)?[dg]|[dg]loss|"
    r"(?:discriminator|generator)(?:[_/]loss)?)(?:_|$)"
)
"""Whole words only: `eval_hard_loss` and `train_seg_loss` end like the losses of two networks."""
_HALF = re.compile(
    r"(?:^|[^a-z0-9])(?:(disc?|gen|critic|real|fake)_loss|loss_(disc?|gen|critic|real|fake))(?:_|$)"
)
_PAIRS = ({"dis", "gen"}, {"disc", "gen"}, {"critic", "gen"}, {"real", "fake"})
"""Losses of two networks by names that mean something else alone: a distance, a generation."""


@lru_cache(NAMES)
def kind_of(key: str) -> LossKind | None:
    """The kind of loss that the name of a series implies, or None."""
    name = key.lower()
    if _PREFERENCE.search(name):
        return LossKind.PREFERENCE
    if any(word in name for word in _REWARD_WORDS):
        return LossKind.REWARD
    return LossKind.ADVERSARIAL if _ADVERSARIAL.search(name) else None


@lru_cache(NAMES)
def network_of(key: str) -> str:
    """The word by which a loss may be one of two adversarial networks', or empty."""
    found = _HALF.search(key.lower())
    return found[1] or found[2] if found else ""


def are_adversarial(networks: set[str]) -> bool:
    """Whether the losses of two networks against each other are among these words."""
    return any(pair <= networks for pair in _PAIRS)
