"""Steps for the records of the HF Trainer, whose stdout lines carry a fractional epoch only."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import field
from itertools import pairwise
from typing import Generic, TypeVar

from lossmon.fast_dataclass import dataclass
from lossmon.types import Axis

Item = TypeVar("Item")

MOST_HELD = 64
"""Records that wait for a bar. Block-buffered output holds back 15 lines; beyond four times that
the bar is another program's."""


@dataclass(frozen=True, slots=True)
class Record(Generic[Item]):
    """One printed record.

    Attributes:
        item: What to give back with its step.
        epoch: Fractional epoch it was logged at.
        precision: Half of the last printed digit of the epoch.
        train: It holds a train loss rather than an evaluation.
    """

    item: Item
    epoch: float
    precision: float
    train: bool


Placed = tuple[Item, int, Axis]


@dataclass(slots=True)
class _Span:
    """Steps per epoch lie between these bounds."""

    low: float = 0.0
    high: float = math.inf

    def narrow(self, step: int, epoch: float, precision: float) -> None:
        if step <= 0 or epoch - precision <= 0:
            return
        low = max(self.low, step / (epoch + precision))
        high = min(self.high, step / (epoch - precision))
        if low > high:
            # Bars and records are out of step: bars run ahead, so the lowest ratio is the best.
            self.low, self.high = 0.0, min(self.high, step / (epoch - precision))
        else:
            self.low, self.high = low, high

    def best(self) -> float:
        """The whole number between the bounds if there is one: the Trainer counts batches."""
        if math.isinf(self.high):
            return 0.0
        whole = math.floor(self.high)
        return (
            float(whole) if whole >= self.low > 0 else (self.low or self.high) / 2 + self.high / 2
        )


@dataclass(slots=True)
class TrainerSteps(Generic[Item]):
    """Finds the step of each record, from what the Trainer announced or from its progress bar.

    The bar that is painted after a record shows its step, so a record waits for it. Where several
    records come at once (stdout was buffered, the bar was not), the bar fits only the last of
    them, and the others follow from their epochs. Without a bar and an announcement, records are
    numbered in their order; an epoch that goes back rewinds that number.

    Attributes:
        per_epoch: Steps of an epoch as the Trainer announced them, 0 if it did not.
        total: Steps in the whole training, 0 while unknown.
    """

    per_epoch: float = 0.0
    total: int = 0
    _bar: int = 0
    _bar_total: int = 0
    _held: list[Record[Item]] = field(default_factory=list)
    _span: _Span = field(default_factory=_Span)
    _epochs: list[float] = field(default_factory=list)
    _counting: bool = False

    @property
    def waiting(self) -> bool:
        """Records wait for the next state of the bar."""
        return bool(self._held)

    def add(self, record: Record[Item]) -> list[Placed[Item]]:
        """Take a record; return those whose steps are known now, oldest first."""
        if self.per_epoch:
            return [self._by_epoch(record, self.per_epoch)]
        if self._counting or not self._bar_total:
            self._counting = True
            return [self._counted(record)]
        self.total = self.total or self._bar_total
        self._held.append(record)
        if len(self._held) < MOST_HELD:
            return []
        guess = self._span.best()
        return self._release(guess)

    def add_run(
        self, epochs: list[float], precision: float, train: bool
    ) -> tuple[list[int], Axis] | None:
        """Place many records of one sort at once; None if they must be added one by one.

        Args:
            epochs: Their epochs, oldest first.
            precision: Half of the last printed digit.
            train: They hold train losses.
        """
        if self.per_epoch:
            return [max(0, round(epoch * self.per_epoch)) for epoch in epochs], Axis.STEP
        if not self._counting or not train or self._held:
            return None
        rising = [*self._epochs[-1:], *epochs]
        if any(b < a - precision for a, b in pairwise(rising)):
            return None
        first = len(self._epochs) + 1
        self._epochs += epochs
        return list(range(first, first + len(epochs))), Axis.ORDER

    def bar(self, step: int, total: int) -> list[Placed[Item]]:
        """Take a state of a bar that has no description; return the records it places."""
        if not self._held:
            self._bar, self._bar_total = step, total
            return []
        if total != self.total:
            if step == 0 and total > self.total:
                self._bar_total = total
            return []
        if step < self._bar:
            # Another process began; the one that printed the records died before its next bar.
            self._bar = step
            return self._release(self._span.best())
        self._bar = step
        last = self._held[-1]
        newest_train = [record for record in self._held if record.train]
        if len(newest_train) <= 1 and len({record.epoch for record in self._held}) == 1:
            self._span.narrow(step, last.epoch, last.precision)
            placed: list[Placed[Item]] = [(r.item, step, Axis.STEP) for r in self._held]
            self._held = []
            return placed
        self._span.narrow(step, last.epoch, last.precision)
        return self._release(self._span.best())

    def announce(self, *, total: int = 0, per_epoch: float = 0.0) -> None:
        """Note what the Trainer says of the training that begins now."""
        self.total = total or self.total
        self.per_epoch = per_epoch or self.per_epoch

    def _release(self, per_epoch: float) -> list[Placed[Item]]:
        held, self._held = self._held, []
        if per_epoch <= 0:
            self._counting = True
            return [self._counted(record) for record in held]
        return [self._by_epoch(record, per_epoch) for record in held]

    def _by_epoch(self, record: Record[Item], per_epoch: float) -> Placed[Item]:
        return record.item, max(0, round(record.epoch * per_epoch)), Axis.STEP

    def _counted(self, record: Record[Item]) -> Placed[Item]:
        """Number a record; an evaluation gets the number of the train record before it."""
        if self._epochs and record.epoch < self._epochs[-1] - record.precision:
            del self._epochs[bisect_left(self._epochs, record.epoch - record.precision / 2) :]
        if record.train:
            self._epochs.append(record.epoch)
        return record.item, max(1, len(self._epochs)), Axis.ORDER
