"""Order of training: the new points of a run, as the diagnosis is fed with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import TagColumns
from lossmon.store.headline import Headlines
from lossmon.store.merge import MergedSeries, SourceSeries, beyond, extended, merge_files
from lossmon.store.run import MeasuredQuantity
from lossmon.types import Axis, Floats, Ints, Kind, Meaning, Split


@dataclass(frozen=True, slots=True)
class HeadlineSeries:
    """The headline loss, which orders all other series.

    Attributes:
        source: Its leading source, None where the run has no loss.
        restart_orders: Positions of its restarts, ascending.
        restart_steps: Steps from which it restarted.
    """

    source: SourceSeries | None
    restart_orders: Ints
    restart_steps: Ints


@dataclass(frozen=True, slots=True)
class NewPoints:
    """Points of one quantity that were not read yet.

    Attributes:
        steps: int64.
        values: float64.
        segments: Number of restarts before each point.
        places: Step of the headline loss at which each point was logged: `steps`, unless
            they count something else.
    """

    steps: Ints
    values: Floats
    segments: Ints
    places: Ints

    def __len__(self) -> int:
        return len(self.steps)

    def part(self, which: slice | Ints | NDArray[np.bool_]) -> NewPoints:
        """Some of the points."""
        return NewPoints(
            self.steps[which], self.values[which], self.segments[which], self.places[which]
        )

    def ordered(self) -> NewPoints:
        """The points by segment, and by place within each; most are logged so."""
        further = self.segments[1:] > self.segments[:-1]
        if (further | (self.places[1:] >= self.places[:-1])).all() and _ascends(self.segments):
            return self
        return self.part(np.lexsort((self.places, self.segments)))

    def held_segments(self) -> list[int]:
        """Each segment that has points; the points are ordered."""
        starts = np.flatnonzero(self.segments[1:] != self.segments[:-1]) + 1
        held: list[int] = self.segments[[0, *starts.tolist()]].tolist()
        return held

    def of_segment(self, segment: int) -> NewPoints:
        """The points of one segment; the points are ordered."""
        start, end = self.segments.searchsorted([segment, segment + 1]).tolist()
        return self.part(slice(start, end))


def headline_series(quantities: Sequence[MeasuredQuantity], headlines: Headlines) -> HeadlineSeries:
    """The headline train loss, or the eval loss where there is no other."""
    leading = {quantity.key: quantity.sources[0] for quantity in quantities}
    source = leading.get(headlines.train or "") or leading.get(headlines.eval or "")
    if source is None:
        return HeadlineSeries(None, np.empty(0, np.int64), np.empty(0, np.int64))
    return HeadlineSeries(source, *source.stream.restarts(source.axis))


def is_logged_with(source: SourceSeries, head: HeadlineSeries) -> bool:
    """Whether a source shares a file with the headline loss, so that one order holds for both.

    Formats with a file per metric have no common order, nor have two sources.
    """
    if head.source is None or source.stream is not head.source.stream:
        return False
    return not set(source.numbers).isdisjoint(head.source.numbers)


def added(column: TagColumns, read: int, head: HeadlineSeries) -> NewPoints:
    """The points of a column in a file of the headline loss after the first `read`, void or not."""
    fresh = column.after(read)
    orders = column.orders_in(fresh)
    segments = np.searchsorted(head.restart_orders, orders, side="right").astype(np.int64)
    steps = column.steps[fresh]
    places = steps
    if head.source is not None and column.axis is not head.source.axis:
        places = _headline_steps(head.source, orders)
    return NewPoints(steps, column.values[fresh], segments, places)


def _headline_steps(head: SourceSeries, orders: Ints) -> Ints:
    """Step of the headline loss that was logged last before each position."""
    known = np.concatenate([column.orders for column in head.columns])
    steps = np.concatenate([column.steps for column in head.columns])
    found = np.searchsorted(known, orders, side="right") - 1
    return np.where(found < 0, 0, steps[np.maximum(found, 0)])


def settled(source: SourceSeries, head: HeadlineSeries) -> NewPoints:
    """All points of a source in other files that no restart made void."""
    return _by_step(merge_files(source), source.axis, head)


def outside(
    leader: SourceSeries, others: Sequence[SourceSeries], head: HeadlineSeries
) -> Iterator[NewPoints]:
    """The points of each further source before the first and after the last of all better ones."""
    if not others:
        return
    merged = merge_files(leader)
    for other in others:
        extra = beyond(merged, merge_files(other))
        if extra is not None:
            yield _by_step(extra, other.axis, head)
            merged = extended(merged, merge_files(other))


def _by_step(series: MergedSeries, axis: Axis, head: HeadlineSeries) -> NewPoints:
    segments = np.zeros(len(series.steps), np.int64)
    if head.source is not None and axis is head.source.axis:
        for number, step in enumerate(head.restart_steps.tolist(), start=1):
            segments[series.steps >= step] = number
    else:
        segments += len(head.restart_steps)
    return NewPoints(series.steps, series.values, segments, series.steps)


_PRIORITY = {Kind.LEARNING_RATE: 0, Kind.GRAD_NORM: 1, Kind.OTHER: 2, Kind.THROUGHPUT: 2}
"""Order of quantities logged at one step: causes before losses, train before eval."""

_PRIORITIES = 8
"""An upper bound of the priorities."""


@dataclass(frozen=True, slots=True)
class RestartMarker:
    """The run restarted from `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class PointBatch:
    """Points in the order of training, as columns of one length.

    Attributes:
        channels: int64, the caller's number of each point's quantity.
        steps: int64.
        values: float64.
    """

    channels: Ints
    steps: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)

    def split(self, count: int) -> tuple[PointBatch, PointBatch]:
        """The first `count` points, and the rest."""
        return self.part(slice(count)), self.part(slice(count, None))

    def part(self, which: slice) -> PointBatch:
        """A slice of the points."""
        return PointBatch(self.channels[which], self.steps[which], self.values[which])


@dataclass(frozen=True, slots=True)
class ChannelPoints:
    """New points of one quantity.

    Attributes:
        channel: The caller's number of the quantity.
        priority: Order of quantities logged at one place.
        points: The points, ordered.
    """

    channel: int
    priority: int
    points: NewPoints

    def key(self, at: int) -> tuple[int, int]:
        """What a point is ordered by: its segment, and its place with the priority."""
        points = self.points
        return int(points.segments[at]), int(points.places[at]) * _PRIORITIES + self.priority

    def part(self, points: NewPoints) -> ChannelPoints:
        """Some of the points."""
        return ChannelPoints(self.channel, self.priority, points)


WINDOW = 1 << 16
"""Points that are joined at a time: they stay in the cache of a processor, and a long log is not
held a second time."""


@dataclass(frozen=True, slots=True)
class PointWindow:
    """Points of all quantities between two places of one segment, not joined yet."""

    parts: tuple[ChannelPoints, ...]

    def __len__(self) -> int:
        return sum(len(part.points) for part in self.parts)

    def batch(self) -> PointBatch:
        """The points in the order of training."""
        places = [part.points.places * _PRIORITIES + part.priority for part in self.parts]
        keys = np.concatenate(places)
        order = slice(None) if _ascends(keys) else keys.argsort(kind="stable")
        channels = [np.full(len(part.points), part.channel) for part in self.parts]
        return PointBatch(
            np.concatenate(channels)[order],
            np.concatenate([part.points.steps for part in self.parts])[order],
            np.concatenate([part.points.values for part in self.parts])[order],
        )


def windows_of(parts: Sequence[ChannelPoints]) -> Iterator[PointWindow]:
    """The points of one segment, in windows of about `WINDOW`."""
    count = -(-sum(len(part.points) for part in parts) // WINDOW)
    longest = max((part.points.places for part in parts), key=len)
    edges = longest[[len(longest) * nth // count for nth in range(1, count)]]
    cuts = [
        [0, *part.points.places.searchsorted(edges).tolist(), len(part.points)] for part in parts
    ]
    for nth in range(count):
        inside = (
            part.part(part.points.part(slice(*cut[nth : nth + 2])))
            for part, cut in zip(parts, cuts, strict=True)
        )
        if window := tuple(part for part in inside if len(part.points)):
            yield PointWindow(window)


@dataclass(slots=True)
class _QuantityProgress:
    """What was read of one quantity.

    Attributes:
        leader: Identity of the stream that led at the first read.
        count: Points read.
        newest: Newest step of the newest segment.
    """

    leader: int
    count: int = 0
    newest: int = -1


@dataclass(slots=True)
class TrainingOrder:
    """Position of one reader of a run's points.

    Points of the files of the headline loss are read as they were logged, with their restarts.
    Of every other source only the points are read that no restart made void and that no better
    source has: two sources rarely agree on where a restart is.

    Attributes:
        disordered: Some points were read later or otherwise than from the finished files,
            because one source lagged behind another. A new cursor reads all of them in order.
    """

    disordered: bool = False
    _progress: dict[str, _QuantityProgress] = field(default_factory=dict)
    _read: dict[int, int] = field(default_factory=dict)
    """Points read of each column, by its serial number."""
    _headlines: Headlines = field(default_factory=Headlines)
    _segment: int = 0
    _edge: tuple[int, int] = (0, -1)

    def is_stale(self, quantities: Sequence[MeasuredQuantity], headlines: Headlines) -> bool:
        """Whether another source now leads, or a headline changed, so that all is read again."""
        old = self._headlines
        if self._progress and old != headlines:
            return any(
                before is not None and before != after
                for before, after in ((old.train, headlines.train), (old.eval, headlines.eval))
            )
        return any(
            progress.leader != id(quantity.sources[0].stream)
            for quantity in quantities
            if (progress := self._progress.get(quantity.key)) is not None
        )

    def read(
        self,
        quantities: Sequence[MeasuredQuantity],
        headlines: Headlines,
        channels: Mapping[str, int],
    ) -> list[RestartMarker | PointWindow]:
        """Return what was logged since the last call.

        Args:
            quantities: The quantities to read, without summaries.
            headlines: Which of them are the headline losses.
            channels: The number to give the points of each quantity, by its key.
        """
        self.disordered |= self._is_new_order(headlines)
        self._headlines = headlines
        head = headline_series(quantities, headlines)
        parts: list[ChannelPoints] = []
        for quantity in quantities:
            channel, priority = channels[quantity.key], _priority(quantity.meaning)
            new = self._new(quantity, head)
            parts.extend(ChannelPoints(channel, priority, part.ordered()) for part in new)
        return list(self._in_order(parts, head.restart_steps)) if parts else []

    def _is_new_order(self, headlines: Headlines) -> bool:
        """Whether a loss appeared that would have ordered the points read before."""
        old = self._headlines
        if self._progress and old.train is None and headlines.train is not None:
            return True
        return headlines.eval != old.eval and headlines.eval in self._progress

    def _new(self, quantity: MeasuredQuantity, head: HeadlineSeries) -> list[NewPoints]:
        """The unread points of a quantity, those of better sources first."""
        leader, *others = quantity.sources
        columns = [column for source in quantity.sources for column in source.columns]
        if all(self._read.get(column.serial, 0) == column.total for column in columns):
            return []
        progress = self._progress.get(quantity.key)
        is_first = progress is None
        if progress is None:
            progress = self._progress[quantity.key] = _QuantityProgress(id(leader.stream))
        in_turn = is_logged_with(leader, head)
        if in_turn:
            parts = [
                added(column, self._read.get(column.serial, 0), head) for column in leader.columns
            ]
            whole = leader.n
        else:
            parts = [settled(leader, head)]
            whole = len(parts[0])
        for part in outside(leader, others, head):
            parts.append(part)
            whole += len(part)
        if not is_first and (others or not in_turn):
            parts = [self._unread(progress, part) for part in parts]
        parts = [part for part in parts if len(part)]
        self._read.update((column.serial, column.total) for column in columns)
        progress.count += sum(len(part) for part in parts)
        self.disordered |= progress.count != whole and bool(others or not in_turn)
        if parts:
            segment = max(int(part.segments.max()) for part in parts)
            newest = [part.steps[part.segments == segment] for part in parts]
            progress.newest = max(int(steps.max()) for steps in newest if len(steps))
        return parts

    def _unread(self, progress: _QuantityProgress, part: NewPoints) -> NewPoints:
        """The points beyond the newest step that was read of the quantity."""
        return part.part((part.segments > self._segment) | (part.steps > progress.newest))

    def _in_order(
        self, parts: Sequence[ChannelPoints], restart_steps: Ints
    ) -> Iterator[RestartMarker | PointWindow]:
        """The points, with the restarts between those of two segments."""
        self.disordered |= min(part.key(0) for part in parts) < self._edge
        self._edge = max(self._edge, *(part.key(-1) for part in parts))
        for segment in sorted({one for part in parts for one in part.points.held_segments()}):
            for index in range(self._segment, min(segment, len(restart_steps))):
                yield RestartMarker(int(restart_steps[index]))
            self._segment = max(self._segment, segment)
            within = (part.part(part.points.of_segment(segment)) for part in parts)
            yield from windows_of([part for part in within if len(part.points)])


def _priority(meaning: Meaning) -> int:
    return _PRIORITY.get(meaning.kind, 3) + 2 * (meaning.split is Split.EVAL)


def _ascends(numbers: Ints) -> bool:
    """Whether the numbers are sorted, as those of one quantity usually are."""
    return bool((numbers[1:] >= numbers[:-1]).all())
