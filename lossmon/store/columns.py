"""Columns of the points of one tag of one file, in logged order."""

from __future__ import annotations

from dataclasses import field
from itertools import count
from typing import TypeVar

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

_NO_TIME = np.full(1, np.nan)

COMPARED = 64
"""First points by which a column is recognised as a copy of another one, also when thinned."""

BUCKET = 8
"""Adjacent points that thinning reduces to their minimum and maximum: a quarter remains, so a
column is thinned rarely, and a column of the screen shows far more than eight points."""


@dataclass(slots=True)
class TagColumns:
    """The raw points of one tag of one source file.

    Views handed out never change: growth and thinning make new arrays, and no cell is written
    twice.

    Attributes:
        tag: Raw name, prefixed with the sub-run where there is one.
        meaning: Meaning of the tag.
        axis: What the steps count.
        n: Points held.
        dropped: Points removed by thinning.
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
    backward: list[int] = field(default_factory=list)
    serial: int = field(default_factory=lambda: next(_serials))
    settled: bool = False
    _steps: Ints = field(default_factory=lambda: np.empty(16, np.int64))
    _values: Floats = field(default_factory=lambda: np.empty(16, np.float64))
    _walls: Floats | None = None
    """None while every time is NaN, as in a log that has none."""
    _orders: Ints = field(default_factory=lambda: np.empty(16, np.int64))
    _opening: tuple[Ints, Floats] | None = None
    """The first steps and values, once the column was thinned."""

    @property
    def steps(self) -> Ints:
        """int64, as logged: a restart makes them jump back."""
        return self._steps[: self.n]

    @property
    def values(self) -> Floats:
        """float64, non-finite values included."""
        return self._values[: self.n]

    @property
    def walls(self) -> Floats:
        """Seconds since the Unix epoch, NaN where unknown."""
        if self._walls is None:
            unknown: Floats = np.ndarray((self.n,), np.float64, _NO_TIME, strides=(0,))
            unknown.flags.writeable = False
            return unknown
        return self._walls[: self.n]

    @property
    def orders(self) -> Ints:
        """Position of each record in its source, strictly increasing."""
        return self._orders[: self.n]

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
        orders = self.orders[part] - order_offset
        return Points(tag, self.steps[part], self.walls[part], self.values[part], orders, self.axis)

    def extend(self, points: Points, order_offset: int) -> None:
        """Append points in logged order."""
        added = len(points)
        if not added:
            return
        end = self.n + added
        self._reserve(end)
        self._steps[self.n : end] = points.steps
        self._values[self.n : end] = points.values
        self._extend_walls(points.wall_times, end)
        np.add(points.order, order_offset, out=self._orders[self.n : end])
        first = max(self.n - 1, 0)
        steps = self._steps[first:end]
        falls = steps[1:] < steps[:-1]
        if falls.any():
            self.backward.extend((np.flatnonzero(falls) + first + 1).tolist())
        self.n = end

    def _extend_walls(self, walls: Floats, end: int) -> None:
        if self._walls is None:
            if np.isnan(walls).all():
                return
            self._walls = np.full(len(self._steps), np.nan)
        self._walls[self.n : end] = walls

    def settle(self) -> None:
        """Return room that was reserved for the rest of a file: all of it has been read."""
        self.settled = True
        size = self._settled_size(self.n)
        if len(self._steps) > max(size, FEW):
            self._resize(size)

    def thin(self) -> None:
        """Keep the minimum, the maximum and every non-finite value of each bucket.

        The order of the remaining points is unchanged, so steps that go back still do.
        """
        steps, values = self.opening
        self._opening = steps.copy(), values.copy()
        keep = kept_when_thinned(self.values, self.backward)
        self.dropped += self.n - len(keep)
        self._steps, self._values = self._steps[keep], self._values[keep]
        self._walls = None if self._walls is None else self._walls[keep]
        self._orders = self._orders[keep]
        self.n, self.settled = len(keep), True
        self.backward = (np.flatnonzero(np.diff(self.steps) < 0) + 1).tolist()

    def _reserve(self, size: int) -> None:
        capacity = len(self._steps)
        if size <= capacity:
            return
        if self.settled:
            self._resize(self._settled_size(size))
        else:
            more = capacity * 2 if capacity < 1 << 20 else capacity + (capacity >> 1)
            self._resize(max(size, more))

    def _settled_size(self, size: int) -> int:
        return size + max(size >> 3, 16)

    def _resize(self, capacity: int) -> None:
        self._steps = _resized(self._steps, self.n, capacity)
        self._values = _resized(self._values, self.n, capacity)
        self._orders = _resized(self._orders, self.n, capacity)
        if self._walls is not None:
            self._walls = _resized(self._walls, self.n, capacity)


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


def _resized(array: NDArray[Number], used: int, capacity: int) -> NDArray[Number]:
    resized = np.empty(capacity, array.dtype)
    resized[:used] = array[:used]
    return resized
