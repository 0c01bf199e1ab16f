"""Columns of the points of one tag of one file, in logged order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from itertools import count
from typing import Generic, TypeVar
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.types import Axis, Floats, Ints, Meaning, Points

Number = TypeVar("Number", np.int64, np.float64)

_serials = count()

BYTES_PER_POINT = 32
"""Four columns of eight bytes."""

FEW = 4096
"""Points up to which room that is not used does not matter."""

FEWEST = 16
"""Points that an array has room for at least, or for so many more."""

_NO_TIME = np.full(1, np.nan)

COMPARED = 64
"""First points by which a column is recognised as a copy of another one, also when thinned."""

SAMPLED = 64
"""Of so many points that a better source has as well, one is kept, to see that both agree."""

SAMPLED_FROM = 4096
"""Points more than at the last sampling, from which on it is done again."""

BUCKET = 8
"""Adjacent points that thinning reduces to their minimum and maximum: a quarter remains, so a
column is thinned rarely, and a column of the screen shows far more than eight points."""


class GrowingArray(Generic[Number]):
    """Array that grows at its end; columns that log the same share one.

    No cell is written twice, so views that were handed out never change. Columns of one file mostly
    have the same steps, times and records: shared, 100,000 steps of six tags take half the memory.

    Args:
        start: The first values; their type is that of the array.
    """

    __slots__ = ("_array", "_newest", "_settled", "n")

    def __init__(self, start: NDArray[Number], *, settled: bool = False) -> None:
        self._array: NDArray[Number] = start
        self._settled, self.n = settled, len(start)
        self._newest: tuple[Callable[[], object], int] = (_nothing, 0)
        """What was appended last, and its offset: mostly other columns append the same object."""

    def first(self, n: int) -> NDArray[Number]:
        """A view of the first `n` values."""
        return self._array[:n]

    def holds(self, at: int, added: NDArray[Number], offset: int = 0) -> bool:
        """Whether values plus an offset stand from `at` on, as far as something stands there."""
        newest, at_offset = self._newest
        if newest() is added and at_offset == offset and at + len(added) == self.n:
            return True
        known = max(0, min(self.n - at, len(added)))
        wanted = added[:known] + offset if offset else added[:known]
        return np.array_equal(self._array[at : at + known], wanted)

    def extended(self, at: int, added: NDArray[Number], offset: int = 0) -> GrowingArray[Number]:
        """Append values plus an offset behind the first `at`, unless they stand there already.

        Returns:
            This array, or a copy where other values stand there.
        """
        if at < self.n and not self.holds(at, added, offset):
            return GrowingArray(self._array[:at].copy(), settled=self._settled).extended(
                at, added, offset
            )
        end = at + len(added)
        if end > self.n:
            self._reserve(end)
            fresh = added[self.n - at :]
            self._array[self.n : end] = fresh + offset if offset else fresh
            self.n, self._newest = end, (ref(added), offset)
        return self

    def settle(self) -> bool:
        """Return reserved room, and reserve little from here on.

        Returns:
            Whether the values were copied: views that were handed out keep the larger array.
        """
        self._settled = True
        size = self._settled_size(self.n)
        if len(self._array) <= max(size, FEW):
            return False
        self._resize(size)
        return True

    def _reserve(self, size: int) -> None:
        capacity = len(self._array)
        if size <= capacity:
            return
        if self._settled:
            self._resize(self._settled_size(size))
        else:
            more = capacity * 2 if capacity < 1 << 20 else capacity + (capacity >> 1)
            self._resize(max(size, more, FEWEST))

    def _settled_size(self, size: int) -> int:
        return size + max(size >> 3, FEWEST)

    def _resize(self, capacity: int) -> None:
        resized = np.empty(capacity, self._array.dtype)
        resized[: self.n] = self._array[: self.n]
        self._array = resized


def _nothing() -> None:
    return None


def _no_ints() -> GrowingArray[np.int64]:
    return GrowingArray(np.empty(0, np.int64))


def _no_floats() -> GrowingArray[np.float64]:
    return GrowingArray(np.empty(0, np.float64))


@dataclass(slots=True)
class TagColumns:
    """The raw points of one tag of one source file.

    Views handed out never change.

    Attributes:
        tag: Raw name, prefixed with the sub-run where there is one.
        meaning: Meaning of the tag.
        axis: What the steps count.
        n: Points held.
        dropped: Points removed by thinning and sampling.
        sampled: How many of them a better source had as well.
        backward: Indices at which the step decreases, ascending.
        file: Number of the file.
        serial: Unique number of this object and meaning.
        settled: The column grows point by point from here on, so little room is kept for more.
    """

    tag: str
    meaning: Meaning
    axis: Axis
    file: int = 0
    n: int = 0
    dropped: int = 0
    sampled: int = 0
    backward: list[int] = field(default_factory=list)
    serial: int = field(default_factory=lambda: next(_serials))
    settled: bool = False
    _sampled_at: int = 0
    """Points held after the last sampling."""
    _steps: GrowingArray[np.int64] = field(default_factory=_no_ints)
    _values: GrowingArray[np.float64] = field(default_factory=_no_floats)
    _walls: GrowingArray[np.float64] | None = None
    """None while every time is NaN, as in a log that has none."""
    _orders: GrowingArray[np.int64] = field(default_factory=_no_ints)
    _order_shift: int = 0
    """Added to the shared positions: tags logged together stand a fixed distance apart."""
    _opening: tuple[Ints, Floats] | None = None
    """The first steps and values, once the column was thinned."""

    @property
    def steps(self) -> Ints:
        """int64, as logged: a restart makes them jump back."""
        return self._steps.first(self.n)

    @property
    def values(self) -> Floats:
        """float64, non-finite values included."""
        return self._values.first(self.n)

    @property
    def walls(self) -> Floats:
        """Seconds since the Unix epoch, NaN where unknown."""
        if self._walls is None:
            unknown: Floats = np.ndarray((self.n,), np.float64, _NO_TIME, strides=(0,))
            unknown.flags.writeable = False
            return unknown
        return self._walls.first(self.n)

    @property
    def orders(self) -> Ints:
        """Position of each record in its source, strictly increasing."""
        return self.orders_in(slice(self.n))

    def orders_in(self, part: slice) -> Ints:
        """The positions of a slice of the points."""
        shared = self._orders.first(self.n)[part]
        return shared + self._order_shift if self._order_shift else shared

    @property
    def total(self) -> int:
        """Points ever appended."""
        return self.n + self.dropped

    @property
    def opening(self) -> tuple[Ints, Floats]:
        """Steps and values of the first points that were appended, `COMPARED` at most."""
        return self._opening or (self.steps[:COMPARED], self.values[:COMPARED])

    def after(self, count: int) -> slice:
        """The held points after the first `count` that were ever appended."""
        return slice(max(0, count - self.dropped), self.n)

    def rename(self, meaning: Meaning) -> None:
        """Change the meaning of the tag."""
        self.meaning, self.serial = meaning, next(_serials)

    def points(self, tag: str, order_offset: int, part: slice) -> Points:
        """A slice of the points, as they were appended."""
        orders = self.orders_in(part) - order_offset
        return Points(tag, self.steps[part], self.walls[part], self.values[part], orders, self.axis)

    def share(self, others: Iterable[TagColumns], points: Points, order_offset: int) -> None:
        """Share the arrays of other columns of the file that begin as the first points do."""
        for other in others:
            if other.dropped or not other.n:
                continue
            if not self._steps.n and other._steps.holds(0, points.steps):
                self._steps = other._steps
            shift = int(points.order[0]) + order_offset - int(other._orders.first(1)[0])
            if not self._orders.n and other._orders.holds(0, points.order, order_offset - shift):
                self._orders, self._order_shift = other._orders, shift
            walls = other._walls
            if self._walls is None and walls is not None and walls.holds(0, points.wall_times):
                self._walls = walls

    def extend(self, points: Points, order_offset: int) -> None:
        """Append points in logged order."""
        if not len(points):
            return
        n, end = self.n, self.n + len(points)
        self._steps = self._steps.extended(n, points.steps)
        self._values = self._values.extended(n, points.values)
        self._extend_walls(points.wall_times)
        self._orders = self._orders.extended(n, points.order, order_offset - self._order_shift)
        first = max(n - 1, 0)
        steps = self._steps.first(end)[first:]
        falls = steps[1:] < steps[:-1]
        if falls.any():
            self.backward.extend((np.flatnonzero(falls) + first + 1).tolist())
        self.n = end

    def _extend_walls(self, walls: Floats) -> None:
        if self._walls is None:
            if np.isnan(walls).all():
                return
            self._walls = GrowingArray(np.full(self.n, np.nan))
        self._walls = self._walls.extended(self.n, walls)

    def settle(self) -> bool:
        """Return room that was reserved for the rest of a file: all of it has been read.

        Returns:
            Whether there was any, so that views that were handed out should be replaced.
        """
        self.settled = True
        arrays = (self._steps, self._values, self._orders, self._walls)
        return any([array.settle() for array in arrays if array is not None])

    def thin(self) -> None:
        """Keep the minimum, the maximum and every non-finite value of each bucket.

        The order of the remaining points is unchanged, so steps that go back still do.
        """
        self._keep(kept_when_thinned(self.values, self.backward))

    def sample(self, first: int, last: int) -> bool:
        """Keep a sample of the points that a better source has, from step `first` to `last`.

        Returns:
            Whether any point was dropped.
        """
        if self.n - self._sampled_at < SAMPLED_FROM:
            return False
        steps = self.steps
        # The other source may count from 0 where this one counts from 1.
        keep = (steps <= first + 1) | (steps >= last - 1)
        keep[::SAMPLED] = True
        keep[:COMPARED] = True
        for index in self.backward:
            keep[index - 1 : index + 1] = True
        kept, before = np.flatnonzero(keep), self.n
        # Copied columns share nothing any more, so a few points are not worth it.
        if is_worth_it := 2 * len(kept) < before:
            self._keep(kept)
            self.sampled += before - self.n
        self._sampled_at = self.n
        return is_worth_it

    def _keep(self, keep: NDArray[np.int64]) -> None:
        """Drop all points but some."""
        steps, values = self.opening
        self._opening = steps.copy(), values.copy()
        self.dropped += self.n - len(keep)
        self._steps = GrowingArray(self.steps[keep], settled=True)
        if self._walls is not None:
            self._walls = GrowingArray(self.walls[keep], settled=True)
        self._orders = GrowingArray(self._orders.first(self.n)[keep], settled=True)
        self._values = GrowingArray(self.values[keep], settled=True)
        self.n, self.settled = len(keep), True
        self.backward = (np.flatnonzero(np.diff(self.steps) < 0) + 1).tolist()


def kept_when_thinned(values: Floats, landmarks: list[int]) -> NDArray[np.int64]:
    """Choose the points that stay when a column is thinned.

    Args:
        landmarks: Indices that must stay, and the one before each: starts of segments.

    Returns:
        Indices, ascending: the minimum and the maximum of each bucket, every non-finite value,
        the landmarks, the first and the last point.
    """
    n = len(values)
    whole = n // BUCKET * BUCKET
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf)[:whole].reshape(-1, BUCKET)
    high = np.where(finite, values, -np.inf)[:whole].reshape(-1, BUCKET)
    keep = ~finite
    base = np.arange(0, whole, BUCKET)
    keep[base + low.argmin(1)] = True
    keep[base + high.argmax(1)] = True
    keep[whole:] = True
    for index in landmarks:
        keep[index - 1 : index + 1] = True
    keep[[0, n - 1]] = True
    return np.flatnonzero(keep)
