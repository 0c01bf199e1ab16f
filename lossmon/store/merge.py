"""Merging of the sources of one quantity into one series that shows each point once."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import TagColumns
from lossmon.store.streams import Stream, live
from lossmon.types import Axis, Floats, Ints, Meaning, Series

AGREEMENT = 2e-3
"""Relative difference up to which two sources report the same value: text logs round to four
digits or fewer. A wider margin would take the next epoch's value for this one's."""

ROUNDED = 6e-5
"""Absolute difference up to which two values are the same: half of the fourth decimal."""

MOSTLY = 0.5
"""Share of common steps at which two sources must agree."""

COVERAGE = 0.5
"""Share of the points of the longest source that a better-ranked one must have to lead: a state
file that is written at checkpoints lags by a good part of the run, while a single stray point is
not worth leading with."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Fingerprint of the contents of a source; equal stamps mean equal contents."""

    columns: tuple[int, ...]
    restarts: int
    counts: tuple[tuple[int, int], ...]

    def grew_from(self, older: Stamp) -> bool:
        """Whether only points were added since."""
        return self.columns == older.columns and self.restarts == older.restarts


@dataclass(frozen=True, slots=True)
class SourceSeries:
    """Columns of one stream for one quantity, in file order."""

    stream: Stream
    columns: tuple[TagColumns, ...]

    @property
    def axis(self) -> Axis:
        """What its steps count."""
        return self.columns[0].axis

    @property
    def n(self) -> int:
        """Points logged; thinning must not change which source leads."""
        return sum(column.total for column in self.columns)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the files of its columns."""
        return tuple(column.file for column in self.columns)

    @property
    def stamp(self) -> Stamp:
        """Equal stamps mean equal contents."""
        return Stamp(
            tuple(column.serial for column in self.columns),
            len(self.stream.restarts(self.axis)[0]),
            tuple((column.n, column.dropped) for column in self.columns),
        )


@dataclass(frozen=True, slots=True)
class MergedSeries:
    """Live and void points of one quantity, in columns."""

    steps: Ints
    values: Floats
    walls: Floats
    ghost_steps: Ints
    ghost_values: Floats


def leading(sources: list[SourceSeries]) -> list[SourceSeries]:
    """Order the sources of one quantity: the leading one, then those that may add points.

    Explicit steps precede numbered lines unless they cover next to nothing; then the rank of
    the source decides among those that cover enough.
    """
    explicit = [source for source in sources if source.axis is not Axis.ORDER]
    most = max(source.n for source in sources)
    if explicit and max(source.n for source in explicit) >= COVERAGE * most / 2:
        sources = explicit
        most = max(source.n for source in sources)
    # The order in which equal sources were found must not matter.
    ranked = sorted(sources, key=lambda s: (s.stream.rank, -s.n, s.stream.source, s.stream.scope))
    leader = next(source for source in ranked if source.n >= COVERAGE * most)
    others = [s for s in ranked if s is not leader and s.axis is leader.axis]
    return [leader, *others]


def merge_files(source: SourceSeries) -> MergedSeries:
    """Join the files of one source; of points that a restart repeats, only the last is live."""
    parts: list[MergedSeries] = []
    for column in source.columns:
        mask = live(column, source.stream.restarts_of(column))
        if mask is None:
            part = MergedSeries(column.steps, column.values, column.walls, _NO_STEPS, _NO_VALUES)
        else:
            void = ~mask
            part = MergedSeries(
                column.steps[mask],
                column.values[mask],
                column.walls[mask],
                column.steps[void],
                column.values[void],
            )
        if parts and len(part.steps):
            parts[-1] = _before(parts[-1], part)
        parts.append(part)
    return parts[0] if len(parts) == 1 else _joined(parts)


def _before(earlier: MergedSeries, later: MergedSeries) -> MergedSeries:
    """Drop the end of an earlier file where a later one repeats its steps."""
    first = int(later.steps[0])
    if not len(earlier.steps) or int(earlier.steps[-1]) < first:
        return earlier
    keep = earlier.steps < first
    repeated = ~keep
    repeated[_common(earlier.steps, later.steps)[0]] = False
    return MergedSeries(
        earlier.steps[keep],
        earlier.values[keep],
        earlier.walls[keep],
        np.concatenate([earlier.ghost_steps, earlier.steps[repeated]]),
        np.concatenate([earlier.ghost_values, earlier.values[repeated]]),
    )


def _joined(parts: list[MergedSeries]) -> MergedSeries:
    return MergedSeries(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.walls for part in parts]),
        np.concatenate([part.ghost_steps for part in parts]),
        np.concatenate([part.ghost_values for part in parts]),
    )


def extended(base: MergedSeries, other: MergedSeries) -> MergedSeries:
    """Add the points of another source before the first and after the last, if both agree."""
    if not len(base.steps):
        return other
    extra = beyond(base, other)
    if extra is None:
        return base
    before = int(np.searchsorted(extra.steps, base.steps[0]))
    return MergedSeries(
        np.concatenate([extra.steps[:before], base.steps, extra.steps[before:]]),
        np.concatenate([extra.values[:before], base.values, extra.values[before:]]),
        np.concatenate([extra.walls[:before], base.walls, extra.walls[before:]]),
        base.ghost_steps,
        base.ghost_values,
    )


def beyond(base: MergedSeries, other: MergedSeries) -> MergedSeries | None:
    """The points of another source before the first and after the last, with the same counting.

    Returns:
        None where there are none, or where the sources do not agree.
    """
    if not len(base.steps):
        return other
    if not len(other.steps) or (shift := common_count(base, other)) is None:
        return None
    steps = other.steps + shift
    new = (steps < base.steps[0]) | (steps > base.steps[-1])
    _drop_echo(new, base, steps, other.values)
    if not new.any():
        return None
    return MergedSeries(steps[new], other.values[new], other.walls[new], _NO_STEPS, _NO_VALUES)


def _drop_echo(new: NDArray[np.bool_], base: MergedSeries, steps: Ints, values: Floats) -> None:
    """Leave out the other source's copy of our last point, whose step it guessed too high.

    It stands nearer than half of our last spacing, and has the same value.
    """
    if len(base.steps) < 2 or not (behind := np.flatnonzero(steps > base.steps[-1])).size:
        return
    first, spacing = int(behind[0]), base.steps[-1] - base.steps[-2]
    near = 2 * (steps[first] - base.steps[-1]) < spacing
    known = first > 0 and steps[first - 1] == base.steps[-1]
    if near and not known and _same(base.values[-1:], values[first : first + 1]).all():
        new[first] = False


def common_count(base: MergedSeries, other: MergedSeries) -> int | None:
    """Find the offset between the steps of another source and ours.

    One source may count from 0 and the other from 1. Sources that overlap without a common
    step, or differ at most common steps, define a step differently and are not mixed.
    Without overlap they follow each other.

    Returns:
        0, 1 or -1 to add to the other steps, or None where the sources cannot be merged.
    """
    if other.steps[0] == other.steps[-1] == base.steps[-1] + 1 and _close(base, other):
        # The end alone, counted from 1.
        return -1
    if other.steps[0] > base.steps[-1] or other.steps[-1] < base.steps[0]:
        return 0
    agreeing = {shift: _agreement(base, other, shift) for shift in (0, -1, 1)}
    best = max(agreeing, key=lambda shift: agreeing[shift])
    # A trainer that hides NaN prints 0.0 for it: a few such values must not separate two sources.
    return best if agreeing[best] >= MOSTLY else None


def _close(base: MergedSeries, other: MergedSeries) -> bool:
    """Whether both end with the same value."""
    return bool(np.isclose(base.values[-1], other.values[-1], rtol=AGREEMENT, atol=ROUNDED))


def _common(steps: Ints, among: Ints) -> tuple[Ints, Ints]:
    """Indices of the steps that two ascending arrays share, in each of them; `among` has some.

    numpy's set functions would import its masked arrays, which takes longer than the rest of a
    merge.
    """
    places = np.minimum(np.searchsorted(among, steps), len(among) - 1)
    found = np.flatnonzero(among[places] == steps)
    return found, places[found]


def _agreement(base: MergedSeries, other: MergedSeries, shift: int) -> float:
    """Share of common steps at which both report the same value to about four digits."""
    theirs, ours = _common(other.steps + shift, base.steps)
    if not len(ours):
        return 0.0
    return float(_same(base.values[ours], other.values[theirs]).mean())


def _same(ours: Floats, theirs: Floats) -> NDArray[np.bool_]:
    """Which values are the same to about four digits."""
    return np.isclose(ours, theirs, rtol=AGREEMENT, atol=ROUNDED, equal_nan=True)


def series_of(merged: MergedSeries, source: SourceSeries, meaning: Meaning, tag: str) -> Series:
    """Add statistics of all live points; `n` includes those that thinning dropped."""
    values, steps = merged.values, merged.steps
    dropped = sum(column.dropped for column in source.columns)
    series = Series(
        tag=tag,
        meaning=meaning,
        source=source.stream.source,
        axis=source.axis,
        steps=steps,
        values=values,
        wall_times=merged.walls,
        n=len(steps) + dropped,
        ghost_steps=merged.ghost_steps,
        ghost_values=merged.ghost_values,
    )
    if not len(steps):
        return series
    found = extremes(values, steps)
    return replace(
        series,
        n_nonfinite=found.n_nonfinite,
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
        last=float(values[-1]),
        minimum=found.minimum,
        min_step=found.min_step,
        maximum=found.maximum,
        max_step=found.max_step,
    )


def lengthened(series: Series, source: SourceSeries) -> Series | None:
    """Extend a series whose only column grew without a restart; None where that is not the case."""
    if len(source.columns) != 1 or source.columns[0].backward:
        return None
    column, n = source.columns[0], len(series.steps)
    if column.dropped or column.n <= n or not n or series.ghost_steps.size:
        return None
    if live(column, source.stream.restarts_of(column)) is not None:
        return None
    fresh = extremes(column.values[n:], column.steps[n:])
    # A comparison with NaN (no finite value so far) is false, so `not >=` lets any number win.
    lower = math.isfinite(fresh.minimum) and not fresh.minimum >= series.minimum
    higher = math.isfinite(fresh.maximum) and not fresh.maximum <= series.maximum
    return replace(
        series,
        steps=column.steps,
        values=column.values,
        wall_times=column.walls,
        n=column.n,
        n_nonfinite=series.n_nonfinite + fresh.n_nonfinite,
        last_step=int(column.steps[-1]),
        last=float(column.values[-1]),
        minimum=fresh.minimum if lower else series.minimum,
        min_step=fresh.min_step if lower else series.min_step,
        maximum=fresh.maximum if higher else series.maximum,
        max_step=fresh.max_step if higher else series.max_step,
    )


@dataclass(frozen=True, slots=True)
class Extremes:
    """Smallest and largest finite value and their steps; NaN and 0 where there is none."""

    n_nonfinite: int
    minimum: float = math.nan
    min_step: int = 0
    maximum: float = math.nan
    max_step: int = 0


def extremes(values: Floats, steps: Ints) -> Extremes:
    """Find the extremes of some points; of equal values the first counts."""
    finite: NDArray[np.bool_] = np.isfinite(values)
    count = int(finite.sum())
    if not count:
        return Extremes(len(values))
    low = int(np.where(finite, values, np.inf).argmin())
    high = int(np.where(finite, values, -np.inf).argmax())
    return Extremes(
        len(values) - count,
        float(values[low]),
        int(steps[low]),
        float(values[high]),
        int(steps[high]),
    )


_NO_STEPS = np.empty(0, np.int64)
_NO_VALUES = np.empty(0, np.float64)
