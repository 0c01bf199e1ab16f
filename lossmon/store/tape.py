"""Hands the diagnosis each new point once, in the order of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from lossmon.store.columns import Columns
from lossmon.store.run import Quantity, RunStore
from lossmon.types import Floats, Ints, Kind, Meaning, Split

_TURN = {Kind.LEARNING_RATE: 0, Kind.GRAD_NORM: 1, Kind.OTHER: 2, Kind.THROUGHPUT: 2}
"""Order of quantities logged at one step: causes before losses, train before eval."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The run began again from `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Points in the order of training, as columns of one length.

    Attributes:
        channels: Which quantity, as the caller numbered it.
        steps: Steps.
        values: Values.
        walls: Seconds since the Unix epoch, NaN where unknown.
    """

    channels: Ints
    steps: Ints
    values: Floats
    walls: Floats


@dataclass(slots=True)
class Tape:
    """Remembers what the diagnosis has heard of one run.

    Attributes:
        channel: Gives the number of a quantity: key, meaning, whether it is a headline.
        wants: Whether the diagnosis listens to a quantity at all.
    """

    channel: Callable[[str, Meaning, bool], int]
    wants: Callable[[Meaning], bool]
    _leaders: dict[str, int] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)
    _others: dict[str, int] = field(default_factory=dict)
    _headlines: tuple[str | None, str | None] = (None, None)
    _segment: int = 0

    def is_stale(self, store: RunStore) -> bool:
        """Whether another account now leads, or a headline changed: then all is told anew."""
        heads = store.headlines()
        if self._leaders and self._headlines != (heads.train, heads.eval):
            return any(
                old is not None and old != new
                for old, new in zip(self._headlines, (heads.train, heads.eval), strict=True)
            )
        return any(
            self._leaders.get(quantity.key, id(quantity.accounts[0].stream))
            != id(quantity.accounts[0].stream)
            for quantity in store.quantities()
        )

    def pull(self, store: RunStore) -> Iterator[Cut | Stretch]:
        """Yield what was logged since the last call."""
        heads = store.headlines()
        self._headlines = (heads.train, heads.eval)
        parts: list[tuple[Ints, Ints, Floats, Floats, Ints, Ints]] = []
        cuts: Ints = np.empty(0, np.int64)
        for quantity in store.quantities():
            if quantity.meaning.summary or not self.wants(quantity.meaning):
                continue
            headline = quantity.key in (heads.train, heads.eval)
            number = self.channel(quantity.key, quantity.meaning, headline)
            if quantity.key == heads.train:
                account = quantity.accounts[0]
                cuts = account.stream.restarts(account.axis)[1]
            parts.extend(self._fresh(quantity, number))
        if parts:
            yield from self._in_order(parts, cuts)

    def _fresh(
        self, quantity: Quantity, number: int
    ) -> Iterator[tuple[Ints, Ints, Floats, Floats, Ints, Ints]]:
        leader = quantity.accounts[0]
        self._leaders[quantity.key] = id(leader.stream)
        for account in quantity.accounts:
            orders = account.stream.restarts(account.axis)[0]
            for column in account.columns:
                if column.fed == column.n:
                    continue
                part = self._take(column, quantity.key, account is leader, orders)
                steps, values, walls, segments = part
                turn = _TURN.get(quantity.meaning.kind, 3) + 2 * (
                    quantity.meaning.split is Split.EVAL
                )
                size = len(steps)
                yield (
                    np.full(size, number, np.int64),
                    steps,
                    values,
                    walls,
                    segments,
                    np.full(size, turn, np.int64),
                )

    def _take(
        self, column: Columns, key: str, leads: bool, orders: Ints
    ) -> tuple[Ints, Floats, Floats, Ints]:
        fresh = slice(column.fed, column.n)
        column.fed = column.n
        steps, values, walls = column.steps[fresh], column.values[fresh], column.walls[fresh]
        segments = np.searchsorted(orders, column.orders[fresh], side="right").astype(np.int64)
        # What another source told first is not told twice; a restart tells its steps again.
        heard = self._others if leads else self._newest
        news = (segments > self._segment) | (steps > heard.get(key, -1))
        steps, values, walls, segments = steps[news], values[news], walls[news], segments[news]
        if len(steps):
            newest = int(steps[segments == segments.max()].max())
            self._newest[key] = newest
            if not leads:
                self._others[key] = newest
        return steps, values, walls, segments

    def _in_order(
        self, parts: list[tuple[Ints, Ints, Floats, Floats, Ints, Ints]], cuts: Ints
    ) -> Iterator[Cut | Stretch]:
        channels, steps, values, walls, segments, turns = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        order = np.lexsort((turns, steps, segments))
        channels, steps, values, walls = channels[order], steps[order], values[order], walls[order]
        segments = segments[order]
        bounds = np.flatnonzero(np.diff(segments)) + 1
        starts = [0, *bounds.tolist()]
        ends = [*bounds.tolist(), len(segments)]
        for start, end in zip(starts, ends, strict=True):
            if start == end:
                continue
            segment = int(segments[start])
            for index in range(self._segment, min(segment, len(cuts))):
                yield Cut(int(cuts[index]))
            self._segment = max(self._segment, segment)
            yield Stretch(
                channels[start:end], steps[start:end], values[start:end], walls[start:end]
            )
