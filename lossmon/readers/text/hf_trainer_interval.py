"""Interval between the train records of the HF Trainer, which makes their steps exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field

from lossmon.fast_dataclass import dataclass

ENOUGH = 8
"""Train records after which their rounded epochs show the interval between them."""

MOST_PLACED = 1000
"""Records whose places are checked once the interval is known."""


@dataclass(slots=True)
class _Spacing:
    """Steps per epoch that equally spaced records would have if each took one step."""

    count: int = 0
    low: float = 0.0
    high: float = math.inf

    def add(self, epochs: Sequence[float], precision: float) -> None:
        """Add the next train records."""
        count, low, high = self.count, self.low, self.high
        self.count += len(epochs)
        if low > high:
            return
        for epoch in epochs:
            count += 1
            if (rate := count / (epoch + precision)) > low:
                low = rate
            if epoch > precision and (rate := count / (epoch - precision)) < high:
                high = rate
        self.low, self.high = low, high

    def interval(self, low: float, high: float) -> int:
        """Return the steps between records, 0 if they are not equal or not certain."""
        if not self.count or self.low > self.high or math.isinf(self.high) or math.isinf(high):
            return 0
        least, most = math.ceil(low / self.high - 1e-9), math.floor(high / self.low + 1e-9)
        return least if least == most else 0


@dataclass(slots=True)
class RecordInterval:
    """Finds out how many steps the train records are apart.

    An epoch of two decimals is precise to some steps only, but records are equally far apart:
    together with the number of a record it tells its step.

    Attributes:
        steps: Steps between train records, 0 if unknown.
        logs_first: The first of them is that of step 1, as `logging_first_step` has it.
    """

    steps: int = 0
    logs_first: bool = False
    _all: _Spacing = field(default_factory=_Spacing)
    _rest: _Spacing = field(default_factory=_Spacing)
    """Without the first record."""
    _placed: list[int] = field(default_factory=list)
    """Steps of train records that were placed before the interval was known."""
    _number: int = 0
    """Train records that have a step."""
    _newest: tuple[float, int] = (-1.0, 0)
    """Epoch and step of the newest of them."""

    def add(self, epochs: Sequence[float], precision: float) -> None:
        """Add the epochs of the next train records; `precision` is half of their last digit."""
        if self.steps:
            return
        self._rest.add(epochs if self._all.count else epochs[1:], precision)
        self._all.add(epochs, precision)

    def find(self, low: float, high: float, least: int = ENOUGH) -> bool:
        """Whether the interval is certain now.

        Args:
            low: Least steps per epoch.
            high: Most steps per epoch.
        """
        for spacing, logs_first in ((self._all, False), (self._rest, True)):
            if spacing.count >= least and (steps := spacing.interval(low, high)):
                self.steps, self.logs_first = steps, logs_first
                return True
        return False

    def rates(self, low: float, high: float) -> tuple[float, float]:
        """Narrow bounds of the steps per epoch down to those that the interval allows."""
        spacing = self._rest if self.logs_first else self._all
        return max(low, self.steps * spacing.low), min(high, self.steps * spacing.high)

    @property
    def last_step(self) -> int:
        """Step of the newest train record."""
        return self._expected(self._all.count)

    def is_misplaced(self, low: float, high: float) -> bool:
        """Whether records were placed wrongly before the interval, found now, was known."""
        if self.steps or not self._placed or not self.find(low, high):
            return False
        placed, self._placed = self._placed, []
        return placed != [self._expected(number) for number in range(1, len(placed) + 1)]

    def step(self, near: int, epoch: float, precision: float, *, train: bool) -> int:
        """Return the step of a record, given what its rounded epoch makes of it.

        Args:
            near: The step by its epoch.
            epoch: Its epoch.
            precision: Steps that `near` may be off.
            train: It is a train record; an evaluation may follow one of the same step.
        """
        if not train:
            return self._newest[1] if self.steps and epoch == self._newest[0] else near
        self._number += 1
        step = near
        if not self.steps and self._number <= MOST_PLACED:
            self._placed.append(near)
        elif self.steps and abs(self._expected(self._number) - near) <= precision + 1:
            step = self._expected(self._number)
        self._newest = (epoch, step)
        return step

    def run(self, near: list[int], epochs: Sequence[float], precision: float) -> list[int]:
        """Return the steps of several train records, as `step` does of one."""
        first = self._number + 1
        self._number += len(near)
        if self.steps:
            most = precision + 1
            expected = map(self._expected, range(first, self._number + 1))
            near = [e if abs(e - n) <= most else n for e, n in zip(expected, near, strict=True)]
        else:
            self._placed += near[: max(0, MOST_PLACED + 1 - first)]
        self._newest = (epochs[-1], near[-1])
        return near

    def _expected(self, number: int) -> int:
        return (number - self.logs_first) * self.steps or 1
