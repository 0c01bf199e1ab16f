"""Steps of the records of the HF Trainer, whose stdout lines have a fractional epoch only."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import field
from itertools import pairwise
from typing import Generic, TypeVar

from lossmon.fast_dataclass import dataclass
from lossmon.types import Axis

T = TypeVar("T")

MOST_HELD = 64
"""Records that wait for a bar. Block-buffered output holds back 15 lines; after four times as many,
the bar belongs to another program."""


@dataclass(frozen=True, slots=True)
class TrainerRecord(Generic[T]):
    """A printed record.

    Attributes:
        item: Returned with its step.
        epoch: Fractional epoch at which it was logged.
        precision: Half of the last printed digit of the epoch.
        train: It holds a train loss rather than an evaluation.
    """

    item: T
    epoch: float
    precision: float
    train: bool


PlacedRecord = tuple[T, int, Axis]


@dataclass(slots=True)
class _Bounds:
    """Steps per epoch lie between these bounds."""

    low: float = 0.0
    high: float = math.inf

    def narrow(self, step: int, epoch: float, precision: float) -> None:
        if step <= 0 or epoch - precision <= 0:
            return
        low = max(self.low, step / (epoch + precision))
        high = min(self.high, step / (epoch - precision))
        if low > high:
            # Bars and records disagree: bars run ahead, so the lowest ratio is the best.
            self.low, self.high = 0.0, min(self.high, step / (epoch - precision))
        else:
            self.low, self.high = low, high

    def best(self) -> float:
        """Return the whole number between the bounds, if any: the Trainer counts batches."""
        if math.isinf(self.high):
            return 0.0
        whole = math.floor(self.high)
        return (
            float(whole) if whole >= self.low > 0 else (self.low or self.high) / 2 + self.high / 2
        )


@dataclass(slots=True)
class TrainerSteps(Generic[T]):
    """Finds the step of each record, from what the Trainer announced or from its progress bar.

    The bar that is drawn after a record shows its step, so a record waits for it. If several
    records come at once (stdout was buffered, the bar was not), the bar fits only the last of
    them, and the others follow from their epochs. Without a bar and an announcement, records are
    numbered in their order; an epoch that goes back rewinds that number.

    Attributes:
        per_epoch: Steps per epoch as the Trainer announced them, 0 if it did not.
        total: Steps of the whole training, 0 if unknown.
    """

    per_epoch: float = 0.0
    total: int = 0
    _bar: int = 0
    _bar_total: int = 0
    _held: list[TrainerRecord[T]] = field(default_factory=list)
    _bounds: _Bounds = field(default_factory=_Bounds)
    _epochs: list[float] = field(default_factory=list)
    _counting: bool = False

    @property
    def waiting(self) -> bool:
        """Whether records wait for the next state of the bar."""
        return bool(self._held)

    def add(self, record: TrainerRecord[T]) -> list[PlacedRecord[T]]:
        """Add a record; return those whose steps are known now, oldest first."""
        if self.per_epoch:
            return [self._by_epoch(record, self.per_epoch)]
        if self._counting or not self._bar_total:
            self._counting = True
            return [self._counted(record)]
        self.total = self.total or self._bar_total
        self._held.append(record)
        if len(self._held) < MOST_HELD:
            return []
        guess = self._bounds.best()
        return self._release(guess)

    def add_run(
        self, epochs: list[float], precision: float, train: bool
    ) -> tuple[list[int], Axis] | None:
        """Add many records of one kind at once; None if they must be added one by one.

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

    def add_bar(self, step: int, total: int) -> list[PlacedRecord[T]]:
        """Add a state of a bar without a description; return the records whose steps it shows."""
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
            return self._release(self._bounds.best())
        self._bar = step
        last = self._held[-1]
        newest_train = [record for record in self._held if record.train]
        if len(newest_train) <= 1 and len({record.epoch for record in self._held}) == 1:
            self._bounds.narrow(step, last.epoch, last.precision)
            placed: list[PlacedRecord[T]] = [(r.item, step, Axis.STEP) for r in self._held]
            self._held = []
            return placed
        self._bounds.narrow(step, last.epoch, last.precision)
        return self._release(self._bounds.best())

    def announce(self, *, total: int = 0, per_epoch: float = 0.0) -> None:
        """Set what the Trainer announces about the training that begins now."""
        self.total = total or self.total
        self.per_epoch = per_epoch or self.per_epoch

    def _release(self, per_epoch: float) -> list[PlacedRecord[T]]:
        held, self._held = self._held, []
        if per_epoch <= 0:
            self._counting = True
            return [self._counted(record) for record in held]
        return [self._by_epoch(record, per_epoch) for record in held]

    def _by_epoch(self, record: TrainerRecord[T], per_epoch: float) -> PlacedRecord[T]:
        return record.item, max(0, round(record.epoch * per_epoch)), Axis.STEP

    def _counted(self, record: TrainerRecord[T]) -> PlacedRecord[T]:
        """Number a record; an evaluation gets the number of the train record before it."""
        if self._epochs and record.epoch < self._epochs[-1] - record.precision:
            del self._epochs[bisect_left(self._epochs, record.epoch - record.precision / 2) :]
        if record.train:
            self._epochs.append(record.epoch)
        return record.item, max(1, len(self._epochs)), Axis.ORDER
