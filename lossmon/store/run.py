"""Store of the points of one run, merged into series that show each point once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from heapq import heapify, heappop, heappush

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import BYTES_PER_POINT, TagColumns
from lossmon.store.headline import Headlines, headlines, ordered, stand_ins
from lossmon.store.merge import (
    SourceSeries,
    Stamp,
    extended,
    leading,
    lengthened,
    merge_files,
    series_of,
)
from lossmon.store.streams import Stream
from lossmon.types import Kind, Meaning, Points, Restart, Series

MEMORY_BUDGET = 48 << 20
"""Bytes of columns per run above which the largest are thinned: 1.5 million points, a resident
size that is acceptable on a login node."""

THIN_FROM = 4096
"""Columns of fewer points are never thinned: a screen can show them all."""


@dataclass(frozen=True, slots=True)
class MeasuredQuantity:
    """A quantity that the run logged, and its sources.

    Attributes:
        key: Canonical name, followed by the raw tag where one source has two tags of that name.
        meaning: Meaning of its tags.
        sources: The leading source first.
    """

    key: str
    meaning: Meaning
    sources: tuple[SourceSeries, ...]

    @property
    def stamp(self) -> tuple[Stamp, ...]:
        """Equal stamps mean equal contents."""
        return tuple(source.stamp for source in self.sources)


class RunStore:
    """Points of one run, by file and tag. Used by one thread.

    Args:
        budget: Bytes of columns that `thin` leaves.
    """

    def __init__(self, budget: int = MEMORY_BUDGET) -> None:
        self._budget = budget
        self._streams: dict[tuple[str, int, str], Stream] = {}
        self._quantities: tuple[int, tuple[MeasuredQuantity, ...]] = (-1, ())
        self._headlines: tuple[int, Headlines] = (-1, Headlines())
        self._series: dict[str, tuple[tuple[Stamp, ...], Series]] = {}
        self._ordered: tuple[int, tuple[Series, ...]] = (-1, ())
        self._version = 0
        self._thinned = 0

    @property
    def version(self) -> int:
        """Grows with everything that was logged, not with thinning."""
        return self._version

    @property
    def _contents(self) -> int:
        """Grows with every change of the points held."""
        return self._version + self._thinned

    def has_dropped(
        self, which: Callable[[Meaning], bool] = lambda _: True, *, sampled: bool = True
    ) -> bool:
        """Whether the store alone cannot replay the series of some meanings.

        Args:
            sampled: Also where only points were dropped that a better source has as well.
        """
        return any(
            c.dropped > (0 if sampled else c.sampled) and which(c.meaning) for c in self._columns()
        )

    @property
    def leads_sampled(self) -> bool:
        """Whether a source leads now that was sampled while another one led."""
        return any(c.sampled for quantity in self.quantities() for c in quantity.sources[0].columns)

    @property
    def sources(self) -> tuple[str, ...]:
        """Format families that logged points, best first, each once."""
        filled = [stream for stream in self._streams.values() if stream.files]
        ranked = sorted(filled, key=lambda stream: (stream.rank, stream.source))
        return tuple(dict.fromkeys(stream.source for stream in ranked))

    def add(
        self, number: int, source: str, rank: int, scope: str, points: Points, meaning: Meaning
    ) -> None:
        """Append points of file `number`; files of one source are numbered in their order."""
        if len(points):
            self._version += 1
            self._stream(source, rank, scope).add(number, points, meaning)

    def rename(self, meaning_of: Callable[[str, str, str], Meaning]) -> None:
        """Change the meanings of all tags.

        Args:
            meaning_of: Gives the meaning for a tag, scope and source.
        """
        self._version += 1
        self._series.clear()
        for stream in self._streams.values():
            stream.rename(meaning_of)

    def restart(self, number: int, source: str, rank: int, scope: str, restart: Restart) -> None:
        """Record an explicit restart."""
        self._version += 1
        self._stream(source, rank, scope).restart(number, restart)

    def clear(self, number: int) -> None:
        """Drop the points of file `number`."""
        self._version += 1
        for stream in self._streams.values():
            stream.clear(number)

    def replace_file(self, number: int) -> None:
        """Start file `number` over: its old points are void unless the new ones continue them."""
        self._version += 1
        for stream in self._streams.values():
            stream.replace_file(number)

    def quantities(self) -> tuple[MeasuredQuantity, ...]:
        """Return every quantity; which source leads may change as the files grow."""
        if self._quantities[0] != self._contents:
            self._quantities = (self._contents, self._find_quantities())
        return self._quantities[1]

    def series(self) -> tuple[Series, ...]:
        """Return every scalar but summaries: headline losses first, then by label."""
        if self._ordered[0] != self._contents:
            found = [self._series_of(q) for q in self.quantities() if not q.meaning.summary]
            self._ordered = (self._contents, ordered(tuple(found)))
        return self._ordered[1]

    def headline_indices(self) -> tuple[int | None, int | None]:
        """Return the indices into `series()` of the headline train and eval loss."""
        places = {id(one): index for index, one in enumerate(self.series())}

        def index(key: str | None) -> int | None:
            return None if key is None else places.get(id(self._series[key][1]))

        found = self.headlines()
        return index(found.train), index(found.eval)

    def headlines(self) -> Headlines:
        """Return which quantities are the headline train loss and eval loss."""
        if self._headlines[0] != self._contents:
            candidates = [
                (quantity.key, quantity.meaning, quantity.sources[0].n, quantity.sources[0].axis)
                for quantity in self.quantities()
            ]
            self._headlines = (self._contents, headlines(candidates))
        return self._headlines[1]

    def restarts(self) -> tuple[int, ...]:
        """Return the steps from which the headline train loss restarted, oldest first."""
        train = self.headlines().train
        for quantity in self.quantities():
            if quantity.key == train:
                source = quantity.sources[0]
                return tuple(source.stream.restarts(source.axis)[1].tolist())
        return ()

    @property
    def is_crowded(self) -> bool:
        """Whether it holds so much more than its budget that nothing should be added for now."""
        return sum(column.n for column in self._columns()) * BYTES_PER_POINT > 1.5 * self._budget

    def settle(self) -> None:
        """Return the room that columns reserved for more of their files: all was read."""
        if any([column.settle() for column in self._columns() if not column.settled]):
            # Series that were made before would keep the larger arrays beside the new ones.
            self._series.clear()
            self._ordered = (-1, ())

    def sample(self) -> bool:
        """Keep a sample of what several sources logged, except from the leading one.

        Returns:
            Whether any point was dropped.
        """
        before = self._thinned
        for quantity in self.quantities():
            leader, *others = quantity.sources
            if not others:
                continue
            first, last = int(leader.columns[0].steps[0]), int(leader.columns[-1].steps[-1])
            for column in (column for other in others for column in other.columns):
                self._thinned += column.sample(first, last)
        return self._thinned > before

    def _columns(self) -> list[TagColumns]:
        streams = self._streams.values()
        return [c for s in streams for f in s.files.values() for c in f.columns.values()]

    def thin(self, must_stay: Callable[[Meaning], bool] = lambda _: False) -> bool:
        """Thin the largest columns until the budget holds.

        Args:
            must_stay: Of which meanings the diagnosis has yet to read points.

        Returns:
            Whether any point was dropped.
        """
        columns = self._columns()
        excess = sum(column.n for column in columns) - self._budget // BYTES_PER_POINT
        large = [column for column in columns if column.n >= THIN_FROM] if excess > 0 else []
        largest_first = [(-c.n, c.serial, c) for c in large if not must_stay(c.meaning)]
        heapify(largest_first)
        thinned = self._thinned
        while excess > 0 and largest_first:
            column = heappop(largest_first)[-1]
            before = column.n
            column.thin()
            excess -= before - column.n
            self._thinned += column.n < before
            if THIN_FROM <= column.n < before:
                heappush(largest_first, (-column.n, column.serial, column))
        return self._thinned > thinned

    def _stream(self, source: str, rank: int, scope: str) -> Stream:
        name = (source, rank, scope)
        if name not in self._streams:
            self._streams[name] = Stream(source, rank, scope)
        return self._streams[name]

    def _find_quantities(self) -> tuple[MeasuredQuantity, ...]:
        sources: dict[str, list[SourceSeries]] = {}
        for stream in self._streams.values():
            for key, columns in _keyed(stream).items():
                sources.setdefault(key, []).append(SourceSeries(stream, columns))
        led = {key: found for key, unsorted in sources.items() if (found := leading(unsorted))}
        meanings = {key: found[0].columns[0].meaning for key, found in led.items()}
        for key in stand_ins(list(meanings.values())) & meanings.keys():
            meanings[key] = replace(meanings[key], kind=Kind.LOSS)
        return tuple(MeasuredQuantity(key, meanings[key], tuple(led[key])) for key in led)

    def _series_of(self, quantity: MeasuredQuantity) -> Series:
        stamp, leader = quantity.stamp, quantity.sources[0]
        cached = self._series.get(quantity.key)
        if cached is not None and cached[1].meaning.kind is not quantity.meaning.kind:
            cached = None
        if cached is not None and cached[0] == stamp:
            return cached[1]
        series = None
        if cached is not None and len(stamp) == len(cached[0]) == 1:
            grew = stamp[0].grew_from(cached[0][0])
            series = lengthened(cached[1], leader) if grew else None
        if series is None:
            merged = merge_files(leader)
            for other in quantity.sources[1:]:
                merged = extended(merged, merge_files(other))
            series = series_of(merged, leader, quantity.meaning, leader.columns[0].tag)
        self._series[quantity.key] = (stamp, series)
        return series


def _keyed(stream: Stream) -> dict[str, tuple[TagColumns, ...]]:
    """Columns of a stream by canonical key; a second tag of a key gets a key of its own."""
    by_tag = stream.by_tag()
    by_key: dict[str, list[str]] = {}
    for tag, columns in by_tag.items():
        by_key.setdefault(columns[0].meaning.key, []).append(tag)
    keyed: dict[str, tuple[TagColumns, ...]] = {}
    for key, tags in by_key.items():
        tags.sort(key=lambda tag: (by_tag[tag][0].meaning.secondary, -_n(by_tag[tag]), tag))
        for place, tag in enumerate(tags):
            name = key if place == 0 else f"{key} {tag}"
            axis = by_tag[tag][0].axis
            same = [column for column in by_tag[tag] if column.axis is axis]
            keyed[name] = tuple(same)
    return keyed


def _n(columns: list[TagColumns]) -> int:
    return sum(column.total for column in columns)
