"""Steps of the records of the HF Trainer, whose stdout lines have a fractional epoch only."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import field
from itertools import pairwise
from typing import Generic, TypeVar

from lossmon.fast_dataclass import dataclass
from lossmon.readers.text.hf_trainer_interval import RecordInterval
from lossmon.types import Axis

T = TypeVar("T")

MOST_HELD = 64
"""Records that wait for a bar. Block-buffered output holds back 15 lines; after four times as many,
the bar belongs to another program."""


AHEAD = 2
"""Steps that a bar may be ahead of the one record printed before it: an evaluation draws bars."""

AHEAD_OF_BURST = 16
"""Steps that a bar may be ahead of the last of several records, which were buffered."""


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


@dataclass(frozen=True, slots=True)
class EpochScale:
    """Steps of an epoch, which gradient accumulation may end with a smaller batch.

    Attributes:
        steps: Steps of a whole epoch.
        rate: Steps of part of an epoch, per epoch: 12.5 where 25 batches make 13 steps of two.
    """

    steps: float
    rate: float

    def step(self, epoch: float) -> int:
        """Return the step of a fractional epoch."""
        whole = math.floor(epoch)
        return max(0, round(whole * self.steps + (epoch - whole) * self.rate))


@dataclass(slots=True)
class _Bounds:
    """Bounds of the steps that an epoch would have if none accumulated fewer batches.

    Bars run ahead of records, which may be buffered, but never lag behind them: where pairs
    disagree, the lowest bound is the best.
    """

    low: float = 0.0
    high: float = math.inf

    def narrow(self, step: int, epoch: float, precision: float) -> None:
        """Add a bar's step and the epoch of the record beside it."""
        if step <= 0 or epoch - precision <= 0:
            return
        low, high = _rates(step, epoch, precision)
        if high < self.low:
            self.low, self.high = low, high
        elif low <= self.high:
            self.low, self.high = max(self.low, low), min(self.high, high)

    def best(self) -> EpochScale | None:
        """Return the whole number between the bounds, if any."""
        if math.isinf(self.high):
            return None
        whole = math.floor(self.high)
        if whole > 0 and whole >= self.low:
            return EpochScale(whole, whole)
        rate = (self.low or self.high) / 2 + self.high / 2
        return EpochScale(math.ceil(rate), rate)


def _rates(step: int, epoch: float, precision: float) -> tuple[float, float]:
    """Bounds of the steps per epoch by one pair; the lower one is 0 if the bar is ahead.

    The last step of an epoch may accumulate fewer batches, so a whole epoch has the next whole
    number of steps.
    """
    nearest = round(epoch)
    whole = nearest if nearest and abs(epoch - nearest) <= precision else math.floor(epoch)
    part = epoch - whole
    if part <= precision:
        steps = step // whole
        return (steps - 1 + 1e-9 if steps * whole == step else 0.0), float(steps)
    most = math.ceil(step / (epoch - precision))
    for steps in range(most, 0, -1):
        high = (step - whole * steps) / (part - precision)
        if high > steps - 1:
            low = (step - whole * steps) / (part + precision)
            return (0.0, float(steps)) if low > steps else (max(low, 0.0), min(high, float(steps)))
    return 0.0, step / epoch


def _fits(scale: EpochScale, records: list[TrainerRecord[T]]) -> bool:
    """Whether records have whole steps, as far as their rounded epochs show it."""
    steps = [(record.epoch % 1 * scale.rate, record.precision * scale.rate) for record in records]
    return all(abs(step - round(step)) <= 0.05 + error for step, error in steps)


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
        by_epoch: Records without a known step are placed by their epoch.
        is_sparse: Several whole epochs were evaluated between two train records.
        interval: Steps between train records.
    """

    per_epoch: float = 0.0
    total: int = 0
    by_epoch: bool = False
    is_sparse: bool = False
    interval: RecordInterval = field(default_factory=RecordInterval)
    _bar: int = 0
    _bar_total: int = 0
    _held: list[TrainerRecord[T]] = field(default_factory=list)
    _bounds: _Bounds = field(default_factory=_Bounds)
    _epochs: list[float] = field(default_factory=list)
    _counting: bool = False
    _evaluated: tuple[int, float] = (-1, 0.0)
    """Train records before the newest evaluation, and its epoch."""

    @property
    def waiting(self) -> bool:
        """Whether records wait for the next state of the bar."""
        return bool(self._held)

    @property
    def is_counting(self) -> bool:
        """Whether records are numbered because nothing shows their steps."""
        return self._counting

    @property
    def counted(self) -> int:
        """Number of train records that were placed by counting; each took at least one step."""
        return len(self._epochs)

    def add(self, record: TrainerRecord[T]) -> list[PlacedRecord[T]]:
        """Add a record; return those whose steps are known now, oldest first."""
        if record.train:
            self.interval.add([record.epoch], record.precision)
        if self.per_epoch:
            return [self._by_epoch(record, EpochScale(self.per_epoch, self.per_epoch))]
        if self._counting or not self._bar_total:
            self._counting = True
            return [self._counted(record)]
        self.total = self.total or self._bar_total
        self._held.append(record)
        if len(self._held) < MOST_HELD:
            return []
        return self._release(self._bounds.best())

    def add_run(
        self, epochs: list[float], precision: float, train: bool
    ) -> tuple[list[int], Axis] | None:
        """Add many records of one kind at once; None if they must be added one by one.

        Args:
            epochs: Their epochs, oldest first.
            precision: Half of the last printed digit.
        """
        if not self.per_epoch and (not self._counting or not train or self._held or self.by_epoch):
            return None
        if self.per_epoch:
            near = [max(0, round(epoch * self.per_epoch)) for epoch in epochs]
            if not train:
                return [
                    self.interval.step(n, e, 0.0, train=False)
                    for n, e in zip(near, epochs, strict=True)
                ], Axis.STEP
            self.interval.add(epochs, precision)
            return self.interval.run(near, epochs, precision * self.per_epoch), Axis.STEP
        rising = [*self._epochs[-1:], *epochs]
        if any(b < a - precision for a, b in pairwise(rising)):
            return None
        first = len(self._epochs) + 1
        self._epochs += epochs
        self.interval.add(epochs, precision)
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
        newest_train = [record for record in self._held if record.train]
        if len(newest_train) <= 1 and len({record.epoch for record in self._held}) == 1:
            return self._release_at(step)
        last = self._held[-1]
        self._bounds.narrow(self._of_last(step), last.epoch, last.precision)
        return self._release(self._bounds.best())

    def _release_at(self, step: int) -> list[PlacedRecord[T]]:
        """Release records of one epoch: at the bar's step, or at one that the epoch proves."""
        last, known = self._held[-1], self._bounds.best()
        if known is not None and _fits(known, self._held):
            proven = known.step(last.epoch)
            step = proven if step - AHEAD <= proven <= step else step
        self._bounds.narrow(step, last.epoch, last.precision)
        held, self._held = self._held, []
        for record in held:
            self.interval.step(step, record.epoch, 0.0, train=record.train)
        return [(record.item, step, Axis.STEP) for record in held]

    def _of_last(self, bar: int) -> int:
        """The step of the last of several records: that of the bar, or of one drawn before it.

        At the right step all records have whole steps.
        """
        last = self._held[-1]
        for step in range(bar, max(bar - AHEAD_OF_BURST, 0), -1):
            bounds = _Bounds()
            bounds.narrow(step, last.epoch, last.precision)
            scale = bounds.best()
            if scale is not None and _fits(scale, self._held):
                return step
        return bar

    def flush(self) -> list[PlacedRecord[T]]:
        """Return the records that no bar will follow, the last one at the newest bar."""
        if not self._held:
            return []
        last = self._held[-1]
        if self._bounds.best() is None:
            self._bounds.narrow(self._bar, last.epoch, last.precision)
        return self._release(self._bounds.best())

    def announce(self, *, total: int = 0, per_epoch: float = 0.0) -> None:
        """Set what the Trainer announces about the training that begins now."""
        self.total = total or self.total
        self.per_epoch = per_epoch or self.per_epoch

    @property
    def is_misplaced(self) -> bool:
        """Whether the interval of the train records shows, now, that some had wrong steps."""
        if self.per_epoch:
            return self.interval.is_misplaced(self.per_epoch - 1, self.per_epoch + 1e-6)
        return self.interval.is_misplaced(self._bounds.low, self._bounds.high)

    def reached(self, epoch: float) -> int:
        """Return the step at an epoch of a training whose plan is known, else 0."""
        return min(round(epoch * self.per_epoch), self.total) if self.per_epoch else 0

    def _release(self, scale: EpochScale | None) -> list[PlacedRecord[T]]:
        held, self._held = self._held, []
        if scale is None:
            self._counting = True
            return [self._counted(record) for record in held]
        return [self._by_epoch(record, scale) for record in held]

    def _by_epoch(self, record: TrainerRecord[T], scale: EpochScale) -> PlacedRecord[T]:
        step = self._step(record.epoch, record.precision, record.train, scale)
        return record.item, min(step, self.total) if self.total else step, Axis.STEP

    def _step(self, epoch: float, precision: float, train: bool, scale: EpochScale) -> int:
        near, off = scale.step(epoch), precision * scale.steps
        return self.interval.step(near, epoch, off, train=train)

    def _counted(self, record: TrainerRecord[T]) -> PlacedRecord[T]:
        """Number a record; an evaluation gets the number of the train record before it."""
        if self.by_epoch:
            return record.item, round(record.epoch), Axis.EPOCH
        if self._epochs and record.epoch < self._epochs[-1] - record.precision:
            del self._epochs[bisect_left(self._epochs, record.epoch - record.precision / 2) :]
        if record.train:
            self._epochs.append(record.epoch)
        else:
            self._watch(record)
        return record.item, max(1, len(self._epochs)), Axis.ORDER

    def _watch(self, record: TrainerRecord[T]) -> None:
        """Notice that evaluations at the ends of epochs are more frequent than train records."""
        before, self._evaluated = self._evaluated, (len(self._epochs), record.epoch)
        whole = all(abs(e - round(e)) <= record.precision for e in (before[1], record.epoch))
        later = round(record.epoch) > round(before[1])
        if whole and later and before[0] == self._evaluated[0]:
            self.is_sparse = True
