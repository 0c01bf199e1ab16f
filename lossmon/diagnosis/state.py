"""What the engine keeps of one run: its curves, and the few facts that bins cannot hold."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import field
from enum import Enum, auto

import numpy as np

from lossmon.diagnosis.binned_curve import LAST, MEAN, BinnedCurve
from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints, Kind, Meaning, Split

RECENT = 64
"""Newest train points kept raw: enough to tell a lone spike from a level that stays up."""

BEGINNING = 32
"""First train points kept raw: where the loss came from does not move while the run grows."""

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


class LossKind(Enum):
    """Which rules a loss can be judged by."""

    PLAIN = auto()
    """Lower is better, and what the model learns shows in it."""
    REWARD = auto()
    """Reinforcement learning: the loss says next to nothing."""
    ADVERSARIAL = auto()
    """Two networks against each other: neither loss is meant to fall."""
    PREFERENCE = auto()
    """DPO and kin: the eval loss may rise while preferences improve."""


@dataclass(slots=True)
class Broken:
    """A loss that was NaN or infinite, or printed as 0.0 while its gradient was NaN."""

    step: int
    what: str
    last: int
    times: int = 1


@dataclass(slots=True)
class Channel:
    """One series that the engine was told about."""

    key: str
    role: Role
    trace: BinnedCurve | None = None
    lower_is_better: bool = True


@dataclass(slots=True)
class RunState:
    """All that is known of one run; constant in size."""

    train: BinnedCurve = field(default_factory=BinnedCurve)
    eval: BinnedCurve = field(default_factory=BinnedCurve)
    rate: BinnedCurve = field(default_factory=BinnedCurve)
    gradient: BinnedCurve = field(default_factory=BinnedCurve)
    metrics: list[Channel] = field(default_factory=list)
    recent: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=RECENT))
    beginning: list[tuple[int, float]] = field(default_factory=list)
    kind: LossKind = LossKind.PLAIN
    broken: Broken | None = None
    healed: int = 0
    bad_gradient_step: int = -1
    bad_gradients: int = 0
    masked: int = 0
    same: int = 0
    restarts: list[int] = field(default_factory=list)
    total_steps: int | None = None
    total_epochs: float | None = None
    newest: int = 0
    first: int | None = None

    def loss(self, role: Role, step: int, value: float) -> bool:
        """Take in one loss value; True if it calls for a judgement at once."""
        self.see(step)
        if not math.isfinite(value):
            self._break(step, "train loss" if role is Role.TRAIN else "eval loss")
            return True
        if role is Role.EVAL:
            # Once the loss is NaN behind a printed 0.0, so are the evals printed as 0.0.
            if value != 0.0 or self.broken is None:
                self.eval.push(step, value)
            return False
        return self._train(step, value)

    def _train(self, step: int, value: float) -> bool:
        hidden = value == 0.0 and self.bad_gradient_step == step
        self.masked = self.masked + 1 if hidden else 0
        if self.masked >= MASKED_TIMES:
            self._break(step, "masked")
        if hidden:
            return True
        if self.recent and value == self.recent[-1][1]:
            self.same += 1
        else:
            self.same = 0
        self.recent.append((step, value))
        if len(self.beginning) < BEGINNING:
            self.beginning.append((step, value))
        self.train.push(step, value)
        if self.broken and self.broken.what != "eval loss":
            self.healed += 1
        return False

    def _break(self, step: int, what: str) -> None:
        self.healed = 0
        if self.broken is None:
            self.broken = Broken(step, what, step)
        else:
            self.broken.last, self.broken.times = step, self.broken.times + 1

    def gradient_norm(self, step: int, value: float) -> None:
        """Take in one gradient norm."""
        self.see(step)
        if math.isfinite(value):
            self.gradient.push(step, value)
            self.bad_gradients = max(self.bad_gradients - 1, 0)
        else:
            self.bad_gradient_step = step
            self.bad_gradients += 3

    def other(self, channel: Channel, step: int, value: float) -> None:
        """Take in one finite learning rate or metric."""
        self.see(step)
        trace = self.rate if channel.role is Role.RATE else channel.trace
        if trace is not None:
            trace.push(step, value)

    def take(self, channel: Channel, steps: Ints, values: Floats) -> None:
        """Take in a column of one series: finite, and no train loss exactly 0."""
        role = channel.role
        if len(values) <= SHORT:
            for step, value in zip(steps.tolist(), values.tolist(), strict=True):
                if role in (Role.TRAIN, Role.EVAL):
                    self.loss(role, step, value)
                elif role is Role.GRADIENT:
                    self.gradient_norm(step, value)
                else:
                    self.other(channel, step, value)
            return
        least = int(steps.min())
        self.first = least if self.first is None else min(self.first, least)
        self.newest = max(self.newest, int(steps.max()))
        if role is Role.TRAIN:
            self._take_train(steps, values)
        elif role is Role.EVAL:
            self.eval.extend(steps, values)
        elif role is Role.GRADIENT:
            self.gradient.extend(steps, values)
            self.bad_gradients = max(self.bad_gradients - len(values), 0)
        else:
            trace = self.rate if role is Role.RATE else channel.trace
            if trace is not None:
                trace.extend(steps, values)

    def _take_train(self, steps: Ints, values: Floats) -> None:
        before = self.recent[-1][1] if self.recent else None
        changes = np.flatnonzero(values[1:] != values[:-1])
        if len(changes):
            self.same = len(values) - 2 - int(changes[-1])
        elif before is not None and before == values[0]:
            self.same += len(values)
        else:
            self.same = len(values) - 1
        self.masked = 0
        if (left := BEGINNING - len(self.beginning)) > 0:
            head = zip(steps[:left].tolist(), values[:left].tolist(), strict=True)
            self.beginning.extend(head)
        tail = slice(-RECENT, None)
        self.recent.extend(zip(steps[tail].tolist(), values[tail].tolist(), strict=True))
        self.train.extend(steps, values)
        if self.broken and self.broken.what != "eval loss":
            self.healed += len(values)

    def see(self, step: int) -> None:
        """Note how far the run has come."""
        if self.first is None or step < self.first:
            self.first = step
        if step > self.newest:
            self.newest = step

    def cut(self, step: int) -> None:
        """Void everything logged at or beyond `step`."""
        for trace in (self.train, self.eval, self.rate, self.gradient):
            trace.cut(step)
        for metric in self.metrics:
            if metric.trace:
                metric.trace.cut(step)
        while self.recent and self.recent[-1][0] >= step:
            self.recent.pop()
        if not self.recent:
            self._recall()
        while self.beginning and self.beginning[-1][0] >= step:
            self.beginning.pop()
        if self.broken and self.broken.step >= step:
            self.broken = None
        self.masked = self.same = self.healed = 0
        self.newest = min(self.newest, step)
        self.restarts.append(step)
        del self.restarts[:-RESTARTS]

    def _recall(self) -> None:
        """Take the newest bins for the newest points, of which a far restart left none."""
        for row in self.train.bins[-RECENT:].tolist():
            self.recent.append((int(row[LAST]), row[MEAN]))


MASKED_TIMES = 1
"""HF Trainer prints a NaN loss as 0.0 by default. A loss of exactly 0.0 whose gradient norm is
NaN at the same step has no innocent reading, so one is enough."""

RESTARTS = 16
"""Restarts remembered, newest last."""


def role_of(meaning: Meaning, headline: bool) -> Role:
    """What a series is for the engine."""
    if meaning.summary:
        return Role.IGNORED
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
    r"(?:^|[^a-z0-9])(?:[dg]_loss|loss[_/][dg]|(?:discriminator|generator)(?:[_/]loss)?)(?:_|$)"
)
"""Whole words only: `eval_hard_loss` and `train_seg_loss` end like the losses of two networks."""


def kind_of(key: str) -> LossKind | None:
    """The loss kind that a series of this name betrays, or None."""
    name = key.lower()
    if _PREFERENCE.search(name):
        return LossKind.PREFERENCE
    if any(word in name for word in _REWARD_WORDS):
        return LossKind.REWARD
    return LossKind.ADVERSARIAL if _ADVERSARIAL.search(name) else None
