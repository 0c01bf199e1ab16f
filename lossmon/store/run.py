"""Everything that the files of one run logged, as series that show each point once."""

from __future__ import annotations

from collections.abc import Callable

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import BYTES_PER_POINT, TagColumns
from lossmon.store.headline import Headlines, headlines, ordered
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
from lossmon.types import Meaning, Points, Restart, Series

MEMORY_BUDGET = 48 << 20
"""Bytes of columns a run may hold before the largest are thinned: 1.5 million points, which
leaves a resident size that nobody minds on a login node."""

THIN_FROM = 4096
"""Columns below this many points are never thinned: a screen can show them all."""


@dataclass(frozen=True, slots=True)
class MeasuredQuantity:
    """One thing that was measured, and who tells of it.

    Attributes:
        key: Canonical name, with the raw tag behind it where one source has two of a name.
        meaning: What it stands for.
        accounts: The leading account first.
    """

    key: str
    meaning: Meaning
    accounts: tuple[SourceSeries, ...]

    @property
    def stamp(self) -> tuple[Stamp, ...]:
        """Equal stamps mean equal contents."""
        return tuple(account.stamp for account in self.accounts)


class RunStore:
    """The memory of one run. One thread fills and reads it."""

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
        """Grows with everything that was logged; thinning is no news."""
        return self._version

    @property
    def _contents(self) -> int:
        """Grows with everything that changes what is held."""
        return self._version + self._thinned

    @property
    def is_thinned(self) -> bool:
        """Whether points were let go, so that the run cannot be told anew."""
        return self._thinned > 0

    @property
    def sources(self) -> tuple[str, ...]:
        """Format families that gave points, best first, each once."""
        giving = [stream for stream in self._streams.values() if stream.files]
        ranked = sorted(giving, key=lambda stream: (stream.rank, stream.source))
        return tuple(dict.fromkeys(stream.source for stream in ranked))

    def add(
        self, number: int, source: str, rank: int, scope: str, points: Points, meaning: Meaning
    ) -> None:
        """Append points of file `number` (files of one source are numbered in their order)."""
        if len(points):
            self._version += 1
            self._stream(source, rank, scope).add(number, points, meaning)

    def rename(self, meaning_of: Callable[[str, str, str], Meaning]) -> None:
        """Let every series stand for what it means now.

        Args:
            meaning_of: Tells by tag, scope and source.
        """
        self._version += 1
        self._series.clear()
        for stream in self._streams.values():
            stream.rename(meaning_of)

    def restart(self, number: int, source: str, rank: int, scope: str, restart: Restart) -> None:
        """Note an explicit restart."""
        self._version += 1
        self._stream(source, rank, scope).restart(number, restart)

    def clear(self, number: int) -> None:
        """Forget what file `number` gave."""
        self._version += 1
        for stream in self._streams.values():
            stream.clear(number)

    def begin_anew(self, number: int) -> None:
        """File `number` was replaced: its points are void unless the new ones continue them."""
        self._version += 1
        for stream in self._streams.values():
            stream.begin_anew(number)

    def quantities(self) -> tuple[MeasuredQuantity, ...]:
        """Return all that was measured; which account leads may change as the files grow."""
        if self._quantities[0] != self._contents:
            self._quantities = (self._contents, self._find_quantities())
        return self._quantities[1]

    def series(self) -> tuple[Series, ...]:
        """Return every scalar but summaries: headline losses first, then by label."""
        if self._ordered[0] != self._contents:
            found = [self._series_of(q) for q in self.quantities() if not q.meaning.summary]
            self._ordered = (self._contents, ordered(tuple(found)))
        return self._ordered[1]

    def series_keys(self) -> dict[str, Series]:
        """Return the series of the last `series()` call by canonical key."""
        return {key: series for key, (_, series) in self._series.items()}

    def rewind(self) -> None:
        """Count every point as not yet seen by the diagnosis."""
        for stream in self._streams.values():
            for file in stream.files.values():
                for column in file.columns.values():
                    column.fed = 0

    def headlines(self) -> Headlines:
        """Tell which quantities are THE train loss and THE eval loss."""
        if self._headlines[0] != self._contents:
            candidates = [
                (quantity.key, quantity.meaning, quantity.accounts[0].n, quantity.accounts[0].axis)
                for quantity in self.quantities()
            ]
            self._headlines = (self._contents, headlines(candidates))
        return self._headlines[1]

    def restarts(self) -> tuple[int, ...]:
        """Return the steps at which the leading train loss began again, oldest first."""
        train = self.headlines().train
        for quantity in self.quantities():
            if quantity.key == train:
                account = quantity.accounts[0]
                return tuple(account.stream.restarts(account.axis)[1].tolist())
        return ()

    def thin(self) -> bool:
        """Thin the largest columns until the budget holds; tell whether that was needed."""
        columns = [
            c for s in self._streams.values() for f in s.files.values() for c in f.columns.values()
        ]
        held = sum(column.n for column in columns) * BYTES_PER_POINT
        thinned = False
        while held > self._budget:
            ready = [c for c in columns if c.n >= THIN_FROM and c.fed in (0, c.n)]
            if not ready:
                break
            largest = max(ready, key=lambda column: column.n)
            before = largest.n
            largest.thin()
            if largest.n == before:
                break
            held -= (before - largest.n) * BYTES_PER_POINT
            thinned = True
        self._thinned += thinned
        return thinned

    def _stream(self, source: str, rank: int, scope: str) -> Stream:
        name = (source, rank, scope)
        if name not in self._streams:
            self._streams[name] = Stream(source, rank, scope)
        return self._streams[name]

    def _find_quantities(self) -> tuple[MeasuredQuantity, ...]:
        accounts: dict[str, list[SourceSeries]] = {}
        meanings: dict[str, Meaning] = {}
        for stream in self._streams.values():
            for key, columns in _keyed(stream).items():
                accounts.setdefault(key, []).append(SourceSeries(stream, columns))
                meanings.setdefault(key, columns[0].meaning)
        return tuple(
            MeasuredQuantity(key, found[0].columns[0].meaning, tuple(found))
            for key, unsorted in accounts.items()
            if (found := leading(unsorted))
        )

    def _series_of(self, quantity: MeasuredQuantity) -> Series:
        stamp, leader = quantity.stamp, quantity.accounts[0]
        cached = self._series.get(quantity.key)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        series = None
        if cached is not None and len(stamp) == len(cached[0]) == 1:
            grew = stamp[0].grew_from(cached[0][0])
            series = lengthened(cached[1], leader) if grew else None
        if series is None:
            joined = merge_files(leader)
            for other in quantity.accounts[1:]:
                joined = extended(joined, merge_files(other))
            series = series_of(joined, leader, quantity.meaning, leader.columns[0].tag)
        self._series[quantity.key] = (stamp, series)
        return series


def _keyed(stream: Stream) -> dict[str, tuple[TagColumns, ...]]:
    """Columns of a stream by canonical key; a second tag of the same key stands by itself."""
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
    return sum(column.n for column in columns)
