"""Axis of a log: the step, the epoch or the place in the file of each record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.names import EPOCH_NAMES, STEP_NAMES, plain
from lossmon.types import Axis, Floats, Ints

FAR = float(2**60)
"""No run takes more steps; what is beyond is a number that overflowed."""


class OtherAxisError(Exception):
    """The log turned out to count something else than its first records let one think.

    Attributes:
        axis: What it counts.
    """

    def __init__(self, axis: Axis) -> None:
        super().__init__(axis)
        self.axis = axis


@dataclass(frozen=True, slots=True)
class PlacedSteps:
    """Where the records of a frame stand.

    Attributes:
        steps: One a record.
        axis: What they count.
        used: Names of the columns they were taken from: those are not quantities.
    """

    steps: Ints
    axis: Axis
    used: frozenset[str]


class StepAxis:
    """Finds the step of each record, frame after frame.

    A log that names a step anywhere counts steps; records without one belong to the step before.
    One that names whole epochs only counts those. Anything else is numbered by its place. Which
    of them it is may come out late: `OtherAxisError` then says that the file must be read again
    with that axis.

    A step that begins again while the epoch goes on counts within the epoch; the steps of the
    epochs before are added to it.

    Args:
        axis: What is known of the log already, None at first sight.
        step_names: Names to take the step from, the surest first.
    """

    def __init__(self, axis: Axis | None = None, step_names: tuple[str, ...] = STEP_NAMES) -> None:
        self._axis = axis
        self._step_ranks = {name: rank for rank, name in enumerate(step_names)}
        self._epoch_ranks = {name: rank for rank, name in enumerate(EPOCH_NAMES)}
        self._step = 0.0
        self._epoch = np.nan
        self._count = 0
        self._within = WithinEpoch()
        self._repeats: dict[str, tuple[float, float]] = {}
        """Epochs of the last two values of each column, while the log counts epochs."""

    def place(self, frame: RecordFrame) -> PlacedSteps:
        """Return where the records of the next frame stand.

        Raises:
            OtherAxisError: The axis was another one all along.
        """
        step_names = _ranked(frame, self._step_ranks)
        epoch_names = _ranked(frame, self._epoch_ranks)
        steps = _merged(frame, step_names)
        epochs = _merged(frame, epoch_names)
        axis = self._decide(steps, epochs)
        if axis is Axis.STEP:
            return PlacedSteps(self._by_step(steps, epochs), axis, frozenset(step_names))
        if axis is Axis.EPOCH:
            self._refuse_repeats(frame, epochs, epoch_names)
            return PlacedSteps(self._by_epoch(epochs), axis, frozenset())
        return PlacedSteps(self._by_order(frame), axis, frozenset())

    def _decide(self, steps: Floats, epochs: Floats) -> Axis:
        axis = self._axis
        if axis is not Axis.STEP and np.isfinite(steps).any():
            self._turn_to(Axis.STEP)
        elif axis is None and np.isfinite(epochs).any():
            self._turn_to(Axis.EPOCH)
        elif axis is None:
            return Axis.ORDER
        if self._axis is Axis.EPOCH and (np.floor(epochs) != epochs)[np.isfinite(epochs)].any():
            self._turn_to(Axis.ORDER)
        assert self._axis is not None
        return self._axis

    def _turn_to(self, axis: Axis) -> None:
        if self._count or self._axis is not None:
            raise OtherAxisError(axis)
        self._axis = axis

    def _by_step(self, steps: Floats, epochs: Floats) -> Ints:
        filled = _filled(steps, self._step)
        if len(filled):
            self._step = float(filled[-1])
        epochs = _filled(epochs, self._epoch)
        if len(epochs):
            self._epoch = float(epochs[-1])
        return self._within.place(as_steps(filled), epochs)

    def _by_epoch(self, epochs: Floats) -> Ints:
        filled = _filled(epochs, 0.0 if np.isnan(self._epoch) else self._epoch)
        if len(filled):
            self._epoch = float(filled[-1])
        return as_steps(filled)

    def _by_order(self, frame: RecordFrame) -> Ints:
        counted = np.zeros(frame.n, bool)
        for column in frame.columns.values():
            counted[column.rows] = True
        steps = self._count + np.cumsum(counted, dtype=np.int64)
        if len(steps):
            self._count = int(steps[-1])
        return steps

    def _refuse_repeats(
        self, frame: RecordFrame, epochs: Floats, epoch_names: Iterable[str]
    ) -> None:
        """Leave the epoch axis if a quantity comes three times in one epoch.

        Twice can be a restart in the epoch that was last; three times in a row is a log with
        several records an epoch, which that axis would draw on top of each other.
        """
        filled = _filled(epochs, self._epoch)
        for name, column in frame.columns.items():
            if name in epoch_names:
                continue
            before = self._repeats.get(name, (np.nan, np.nan))
            seen = np.concatenate([before, filled[column.rows]])
            if ((seen[2:] == seen[1:-1]) & (seen[1:-1] == seen[:-2])).any():
                self._turn_to(Axis.ORDER)
            self._repeats[name] = (float(seen[-2]), float(seen[-1]))


class WithinEpoch:
    """Adds the steps of the epochs before to a step that counts within its epoch.

    A step that goes back together with its epoch, or in the same epoch, is a restart: it is
    left as it is, on top of what was added when that epoch was reached first.
    """

    def __init__(self) -> None:
        self._base = 0
        self._bases: dict[float, int] = {}
        self._last = 0
        self._stride = 0
        self._epoch = np.nan

    def place(self, steps: Ints, epochs: Floats) -> Ints:
        """Return the steps counted from the beginning of the run."""
        if not len(steps):
            return steps
        strides = np.diff(steps, prepend=self._last)
        epochs_before = np.concatenate([[self._epoch], epochs[:-1]])
        placed = np.empty_like(steps)
        start = 0
        for index in np.flatnonzero((strides < 0) | (epochs < epochs_before)).tolist():
            placed[start:index] = steps[start:index] + self._base
            self._learn_stride(strides[start:index])
            step, last = int(steps[index]), int(steps[index] - strides[index])
            self._turn(step, last, float(epochs_before[index]), float(epochs[index]))
            start = index
        placed[start:] = steps[start:] + self._base
        self._learn_stride(strides[start:])
        self._last, self._epoch = int(steps[-1]), float(epochs[-1])
        return placed

    def _learn_stride(self, strides: Ints) -> None:
        ahead = strides[strides > 0]
        if len(ahead):
            self._stride = int(ahead[-1])

    def _turn(self, step: int, last: int, epoch_before: float, epoch: float) -> None:
        if epoch > epoch_before:
            self._bases.setdefault(epoch_before, self._base)
            # A count from 0 leaves out the step between its last and the next epoch's first.
            self._base = min(self._base + last + (self._stride if step == 0 else 0), int(FAR))
            self._bases[epoch] = self._base
        elif epoch in self._bases:
            self._base = self._bases[epoch]


def as_steps(values: Floats) -> Ints:
    """Return whole steps, 0 or more."""
    return np.fmin(np.fmax(values, 0.0), FAR).astype(np.int64)  # Both ignore NaN.


def _ranked(frame: RecordFrame, ranks: Mapping[str, int]) -> list[str]:
    """Names of the frame's columns that the table knows, the surest first."""
    found = [(ranks[short], name) for name in frame.columns if (short := plain(name)) in ranks]
    return [name for _, name in sorted(found)]


def _merged(frame: RecordFrame, names: list[str]) -> Floats:
    """The value of the surest column that each record has; NaN where it has none."""
    merged = np.full(frame.n, np.nan)
    for name in reversed(names):
        column = frame.columns[name]
        finite = np.isfinite(column.values)
        merged[column.rows[finite]] = column.values[finite]
    return merged


def _filled(values: Floats, first: float) -> Floats:
    """Each missing value replaced by the one before it."""
    known = np.isfinite(values)
    if known.all():
        return values
    index = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(index >= 0, values[index], first)
