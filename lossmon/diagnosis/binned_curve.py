"""Binned curve: means, extremes and roughness of a whole series in constant memory."""

from __future__ import annotations

import math

import numpy as np

from lossmon.types import Floats, Ints

CAPACITY = 256
"""Bins of a curve. A 1/256 of a run is finer than any statement we make about it (the finest is
about a 1/20), and a full set of bins still costs only 18 kB."""

COUNT, FIRST, LAST, MEAN, ROUGHNESS, LOW, LOW_STEP, HIGH, HIGH_STEP = range(9)
"""Columns of a bin: points, first step, last step, mean, mean absolute difference of neighbouring
points, smallest value and its step, largest value and its step."""

_COLUMNS = 9

_SCALAR_LIMIT = 12
"""Up to this many points a plain loop is faster than numpy's calls."""


class BinnedCurve:
    """The history of one series as at most `CAPACITY` bins of equally many points.

    When the bins are used up, neighbours are joined and each holds twice the points: every
    point is seen once, memory is constant, and the whole run stays in view. The sums are
    formed strictly from left to right: any chunking gives the same bits.

    Attributes:
        size: Points of a whole bin.
        points: Points in all.
        lowest: Smallest value; infinite before the first point.
        highest: Largest value; minus infinite before the first point.
    """

    __slots__ = (
        "_bins",
        "_count",
        "_first",
        "_high",
        "_high_step",
        "_last",
        "_low",
        "_low_step",
        "_previous",
        "_roughness",
        "_sum",
        "_used",
        "highest",
        "lowest",
        "points",
        "size",
    )

    def __init__(self) -> None:
        self._bins = np.empty((CAPACITY + 1, _COLUMNS))
        self._used = 0
        self._previous = math.nan
        self.size = 1
        self.points = 0
        self.lowest, self.highest = math.inf, -math.inf
        self._clear()

    def __getstate__(self) -> dict[str, object]:
        """What to pickle: of the bins, those that are in use."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "_bins": self._bins[: self._used]
        }

    def __setstate__(self, state: dict[str, object]) -> None:
        """Continue from what was pickled."""
        for name, value in state.items():
            setattr(self, name, value)
        used, self._bins = self._bins, np.empty((CAPACITY + 1, _COLUMNS))
        self._bins[: self._used] = used

    def _clear(self) -> None:
        self._count = 0
        self._first = self._last = self._low_step = self._high_step = 0
        self._sum = self._roughness = 0.0
        self._low, self._high = math.inf, -math.inf

    @property
    def bins(self) -> Floats:
        """Rows of bins, oldest first, the unfinished one included; columns as named above."""
        if not self._count:
            return self._bins[: self._used]
        self._bins[self._used] = self._row()
        return self._bins[: self._used + 1]

    @property
    def last_step(self) -> int:
        """Step of the newest point, 0 if there is none."""
        if self._count:
            return self._last
        return int(self._bins[self._used - 1, LAST]) if self._used else 0

    def append(self, step: int, value: float) -> None:
        """Add one finite point."""
        self.points += 1
        if value < self.lowest:
            self.lowest = value
        if value > self.highest:
            self.highest = value
        jump = abs(value - self._previous) if self._previous == self._previous else 0.0
        self._previous = value
        if self.size == 1:
            self._append_bin(1, step, step, value, jump, value, step, value, step)
            return
        if not self._count:
            self._first = step
        self._last = step
        self._count += 1
        self._sum += value
        self._roughness += jump
        if value < self._low:
            self._low, self._low_step = value, step
        if value > self._high:
            self._high, self._high_step = value, step
        if self._count >= self.size:
            self._close()

    def extend(self, steps: Ints, values: Floats) -> None:
        """Add a column of finite points, oldest first."""
        start, n = 0, len(values)
        while start < n:
            left = n - start
            if left <= _SCALAR_LIMIT:
                for step, value in zip(
                    steps[start:].tolist(), values[start:].tolist(), strict=True
                ):
                    self.append(step, value)
                return
            if self._count == 0 and left >= self.size:
                whole = min(left // self.size, CAPACITY - self._used)
                end = start + whole * self.size
                self._append_bins(steps[start:end], values[start:end], whole)
            else:
                end = start + min(left, self.size - self._count)
                self._fill_bin(steps[start:end], values[start:end])
            start = end

    def _fill_bin(self, steps: Ints, values: Floats) -> None:
        """Continue the unfinished bin; never goes beyond its end."""
        if not self._count:
            self._first = int(steps[0])
        self._last = int(steps[-1])
        self._count += len(values)
        self.points += len(values)
        self._sum = float(np.add.accumulate(np.concatenate(([self._sum], values)))[-1])
        jumps = self._jumps(values)
        self._roughness = float(np.add.accumulate(np.concatenate(([self._roughness], jumps)))[-1])
        self._previous = float(values[-1])
        low, high = int(values.argmin()), int(values.argmax())
        self._widen(float(values[low]), float(values[high]))
        if values[low] < self._low:
            self._low, self._low_step = float(values[low]), int(steps[low])
        if values[high] > self._high:
            self._high, self._high_step = float(values[high]), int(steps[high])
        if self._count >= self.size:
            self._close()

    def _append_bins(self, steps: Ints, values: Floats, whole: int) -> None:
        """Append complete bins at once; no bin is unfinished, and all fit."""
        size = self.size
        self.points += len(values)
        jumps = self._jumps(values).reshape(whole, size)
        self._previous = float(values[-1])
        at, table = steps.reshape(whole, size), values.reshape(whole, size)
        rows = self._bins[self._used : self._used + whole]
        rows[:, COUNT] = size
        rows[:, FIRST], rows[:, LAST] = at[:, 0], at[:, -1]
        rows[:, MEAN] = np.add.accumulate(table, axis=1)[:, -1] / size
        rows[:, ROUGHNESS] = np.add.accumulate(jumps, axis=1)[:, -1] / size
        each = np.arange(whole)
        low, high = table.argmin(axis=1), table.argmax(axis=1)
        rows[:, LOW], rows[:, LOW_STEP] = table[each, low], at[each, low]
        rows[:, HIGH], rows[:, HIGH_STEP] = table[each, high], at[each, high]
        self._widen(float(rows[:, LOW].min()), float(rows[:, HIGH].max()))
        self._used += whole
        if self._used == CAPACITY:
            self._halve()

    def _jumps(self, values: Floats) -> Floats:
        jumps = np.empty(len(values))
        np.subtract(values[1:], values[:-1], out=jumps[1:])
        fresh = self._previous != self._previous
        jumps[0] = 0.0 if fresh else values[0] - self._previous
        return np.abs(jumps, out=jumps)

    def _row(self) -> tuple[float, ...]:
        return (
            self._count,
            self._first,
            self._last,
            self._sum / self._count,
            self._roughness / self._count,
            self._low,
            self._low_step,
            self._high,
            self._high_step,
        )

    def _widen(self, low: float, high: float) -> None:
        self.lowest, self.highest = min(low, self.lowest), max(high, self.highest)

    def _close(self) -> None:
        self._append_bin(*self._row())
        self._clear()

    def _append_bin(self, *row: float) -> None:
        self._bins[self._used] = row
        self._used += 1
        if self._used == CAPACITY:
            self._halve()

    def _halve(self) -> None:
        """Join neighbouring bins in pairs."""
        odd, even = self._bins[0:CAPACITY:2], self._bins[1:CAPACITY:2]
        joined = np.empty_like(odd)
        total = odd[:, COUNT] + even[:, COUNT]
        joined[:, COUNT] = total
        joined[:, FIRST], joined[:, LAST] = odd[:, FIRST], even[:, LAST]
        for column in (MEAN, ROUGHNESS):
            weighted = odd[:, column] * odd[:, COUNT] + even[:, column] * even[:, COUNT]
            joined[:, column] = weighted / total
        for value, step, lower in ((LOW, LOW_STEP, True), (HIGH, HIGH_STEP, False)):
            a, b = odd[:, value], even[:, value]
            keep = a <= b if lower else a >= b
            joined[:, value] = np.where(keep, a, b)
            joined[:, step] = np.where(keep, odd[:, step], even[:, step])
        self._used = CAPACITY // 2
        self._bins[: self._used] = joined
        self.size *= 2

    def truncate(self, step: int) -> None:
        """Forget what was logged at or beyond `step`.

        A bin across it stays as it is: its points are not kept apart.
        """
        rows = self.bins
        kept = int(np.count_nonzero(rows[:, FIRST] < step))
        self.points = int(rows[:kept, COUNT].sum())
        self.lowest = float(rows[:kept, LOW].min(initial=math.inf))
        self.highest = float(rows[:kept, HIGH].max(initial=-math.inf))
        self._used = kept
        self._previous = math.nan
        self._clear()
        if self._used == CAPACITY:
            self._halve()
