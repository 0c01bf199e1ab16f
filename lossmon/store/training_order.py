"""Hands the diagnosis each new point once, in the order of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.store.headline import Headlines
from lossmon.store.new_points import (
    HeadlineSeries,
    NewPoints,
    headline_series,
    is_logged_with,
    logged,
    outside,
    settled,
)
from lossmon.store.run import MeasuredQuantity, RunStore
from lossmon.types import Floats, Ints, Kind, Meaning, Split

_TURN = {Kind.LEARNING_RATE: 0, Kind.GRAD_NORM: 1, Kind.OTHER: 2, Kind.THROUGHPUT: 2}
"""Order of quantities logged at one step: causes before losses, train before eval."""

_TURNS = 8
"""More than there are turns."""


@dataclass(frozen=True, slots=True)
class RestartMarker:
    """The run began again from `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class PointBatch:
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
class _Heard:
    """What was told of one quantity: how many points, and the newest step of the newest segment."""

    leader: int
    count: int = 0
    newest: int = -1


@dataclass(slots=True)
class TrainingOrder:
    """Remembers what the diagnosis has heard of one run.

    What stands in the files of the headline loss is told as it was logged, with its restarts.
    Of every other source only that is told which no restart made void and for which no better
    source has a point: two sources seldom agree on where a restart lies.

    Attributes:
        channel: Gives the number of a quantity: key, meaning, whether it is a headline.
        wants: Whether the diagnosis listens to a quantity at all.
        disordered: Something was told later or otherwise than to one who reads the finished
            files, because one source lagged behind another. Told anew, all is in order.
    """

    channel: Callable[[str, Meaning, bool], int]
    wants: Callable[[Meaning], bool]
    disordered: bool = False
    _heard: dict[str, _Heard] = field(default_factory=dict)
    _headlines: Headlines = field(default_factory=Headlines)
    _segment: int = 0
    _edge: tuple[int, int] = (0, -1)

    def is_stale(self, store: RunStore) -> bool:
        """Whether another account now leads, or a headline changed: then all is told anew."""
        heads, old = store.headlines(), self._headlines
        if self._heard and old != heads:
            return any(
                before is not None and before != after
                for before, after in ((old.train, heads.train), (old.eval, heads.eval))
            )
        return any(
            heard.leader != id(quantity.accounts[0].stream)
            for quantity in store.quantities()
            if (heard := self._heard.get(quantity.key)) is not None
        )

    def pull(self, store: RunStore) -> Iterator[RestartMarker | PointBatch]:
        """Yield what was logged since the last call."""
        heads = store.headlines()
        self.disordered |= self._is_new_order(heads)
        self._headlines = heads
        head = headline_series(store, heads)
        parts: list[tuple[int, int, NewPoints]] = []
        for quantity in store.quantities():
            if quantity.meaning.summary or not self.wants(quantity.meaning):
                continue
            headline = quantity.key in (heads.train, heads.eval)
            number = self.channel(quantity.key, quantity.meaning, headline)
            pieces = self._fresh(quantity, head)
            parts.extend((number, _turn(quantity.meaning), piece) for piece in pieces)
        return self._in_order(parts, head.cuts)

    def _is_new_order(self, heads: Headlines) -> bool:
        """Whether a loss turned up that what was told would have been put in order by."""
        old = self._headlines
        if self._heard and old.train is None and heads.train is not None:
            return True
        return heads.eval != old.eval and heads.eval in self._heard

    def _fresh(self, quantity: MeasuredQuantity, head: HeadlineSeries) -> list[NewPoints]:
        """The points of a quantity that were not told, those of better sources first."""
        leader, *others = quantity.accounts
        columns = [column for account in quantity.accounts for column in account.columns]
        if all(column.fed == column.n for column in columns):
            return []
        heard = self._heard.get(quantity.key)
        anew = heard is None
        if heard is None:
            heard = self._heard[quantity.key] = _Heard(id(leader.stream))
        in_turn = is_logged_with(leader, head)
        if in_turn:
            pieces = [logged(column, head) for column in leader.columns]
            whole = leader.n
        else:
            pieces = [settled(leader, head)]
            whole = len(pieces[0])
        for piece in outside(leader, others, head):
            pieces.append(piece)
            whole += len(piece)
        if not anew and (others or not in_turn):
            pieces = [self._unheard(heard, piece) for piece in pieces]
        pieces = [piece for piece in pieces if len(piece)]
        for column in columns:
            column.fed = column.n
        heard.count += sum(len(piece) for piece in pieces)
        self.disordered |= heard.count != whole and bool(others or not in_turn)
        if pieces:
            segment = max(int(piece.segments.max()) for piece in pieces)
            newest = [piece.steps[piece.segments == segment] for piece in pieces]
            heard.newest = max(int(steps.max()) for steps in newest if len(steps))
        return pieces

    def _unheard(self, heard: _Heard, piece: NewPoints) -> NewPoints:
        """What of a piece lies beyond the newest step that was told of the quantity."""
        return piece.where((piece.segments > self._segment) | (piece.steps > heard.newest))

    def _in_order(
        self, parts: list[tuple[int, int, NewPoints]], cuts: Ints
    ) -> Iterator[RestartMarker | PointBatch]:
        if not parts:
            return iter(())
        pieces = [piece for _, _, piece in parts]
        places = np.concatenate([piece.places * _TURNS + turn for _, turn, piece in parts])
        segments = np.concatenate([piece.segments for piece in pieces])
        order = np.lexsort((places, segments))
        first, last = order[0], order[-1]
        self.disordered |= (int(segments[first]), int(places[first])) < self._edge
        self._edge = max(self._edge, (int(segments[last]), int(places[last])))
        segments = segments[order]
        del places
        # One column after the other: a long log is joined here all at once.
        told = PointBatch(
            np.concatenate([np.full(len(piece), number) for number, _, piece in parts])[order],
            np.concatenate([piece.steps for piece in pieces])[order],
            np.concatenate([piece.values for piece in pieces])[order],
            np.concatenate([piece.walls for piece in pieces])[order],
        )
        return iter(list(self._cut(told, segments, cuts)))

    def _cut(
        self, told: PointBatch, segments: Ints, cuts: Ints
    ) -> Iterator[RestartMarker | PointBatch]:
        bounds = (np.flatnonzero(np.diff(segments)) + 1).tolist()
        for start, end in zip([0, *bounds], [*bounds, len(segments)], strict=True):
            segment = int(segments[start])
            for index in range(self._segment, min(segment, len(cuts))):
                yield RestartMarker(int(cuts[index]))
            self._segment = max(self._segment, segment)
            part = slice(start, end)
            yield PointBatch(
                told.channels[part], told.steps[part], told.values[part], told.walls[part]
            )


def _turn(meaning: Meaning) -> int:
    return _TURN.get(meaning.kind, 3) + 2 * (meaning.split is Split.EVAL)
