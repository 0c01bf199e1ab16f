"""Feed of a run's points to the diagnosis engine, replayed where their order turns out wrong."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lossmon.errors import internal_error
from lossmon.store import RunStore
from lossmon.store.headline import Headlines
from lossmon.store.run import MeasuredQuantity
from lossmon.store.training_order import PointBatch, PointWindow, RestartMarker, TrainingOrder
from lossmon.types import UNJUDGED, Confidence, Diagnosis, Facts, Finding, Meaning, Severity

if TYPE_CHECKING:
    from lossmon.diagnosis.engine import Engine

SLICE = 512
"""Points fed before the first look at the clock: a few milliseconds of a calm curve, and some
twenty of one so noisy that it is judged every few dozen points."""

LARGEST_SLICE = 1 << 16
"""Points fed between two looks at most; each slice costs as much as some hundred points."""

SHORT, LONG = 0.002, 0.008
"""Seconds of a slice below which the next one is twice as long, and above which half as long."""

LEAST_LENT, MOST_LENT = 32, 1024
"""Points that another process may judge: sending fewer costs more than judging them, and of more,
which take whole columns, a point costs less."""

REPLAY_SHARE = 20.0
"""Replaying a run may take a twentieth of the time, however long the run is."""


FeedItem = RestartMarker | PointWindow | PointBatch
Backlog = tuple["Engine", tuple[FeedItem, ...]]
"""An engine, and the points that it has not been fed."""

_FAILED = Finding("not_judged", Severity.NEUTRAL, 0, Confidence.HIGH)


class DiagnosisFeed:
    """The diagnosis of one run, and its position among the run's points. Used by one thread.

    Args:
        sensitivity: Above 1 alarms come earlier and more often, below 1 later and less.

    Attributes:
        error: Why the run is judged no further, or empty.
    """

    def __init__(self, store: RunStore, sensitivity: float) -> None:
        self._store = store
        self._sensitivity = sensitivity
        self._cost = 0.0
        self._not_before = 0.0
        self.replay()

    def replay(self) -> None:
        """Drop the diagnosis; the next call of `update` starts from the first point."""
        self.error = ""
        self._engine: Engine | None = None
        self._order = TrainingOrder()
        self._queue: deque[FeedItem] = deque()
        self._slice = SLICE
        self._version = -1
        self._plan: int | None = None
        self._lent: Backlog | None = None

    @property
    def is_lent(self) -> bool:
        """Whether the backlog is judged by another process."""
        return self._lent is not None

    @property
    def busy(self) -> bool:
        """Whether the store has points that were not judged."""
        behind = bool(self._queue) or self._version != self._store.version
        return behind and not self.error

    def diagnosis(self, ended: bool = False) -> Diagnosis:
        """The diagnosis of the points fed so far, `ended` where the run is over."""
        if not self.error:
            try:
                over = ended and not self.busy
                if self._engine is None or self.is_lent:
                    return UNJUDGED
                return self._engine.diagnosis(over)
            except BaseException as error:
                self.fail(error)
        return Diagnosis(_FAILED, (_FAILED,), ())

    def fail(self, error: BaseException) -> None:
        """Stop judging because of an error in lossmon itself, until the run is replayed."""
        self.replay()
        self.error = f"{internal_error(error)}; the run is not judged"

    def update(self, facts: Facts, deadline: float) -> bool:
        """Feed what is new, until a `time.monotonic()` value.

        Returns:
            Whether there was anything new.
        """
        begin = time.monotonic()
        if not self._gather(facts, begin, deadline):
            return False
        self._feed(deadline)
        self._cost += time.monotonic() - begin
        self._not_before = time.monotonic() + REPLAY_SHARE * self._cost
        return True

    def lend(self, facts: Facts) -> Backlog | None:
        """The first points of a run, for another process to judge; None where that is no gain.

        Nothing is fed here until `take_back`.
        """
        now = time.monotonic()
        if self._engine is not None or not self._gather(facts, now, now):
            return None
        points = sum(len(one) for one in self._queue if not isinstance(one, RestartMarker))
        if not LEAST_LENT <= points <= MOST_LENT:
            # It is still to be judged here, even where there are no points.
            self._version = -1
            return None
        self._lent = (self._judge(), tuple(self._queue))
        return self._lent

    def take_back(self, lent: Backlog, engine: Engine | None) -> bool:
        """Go on with an engine that was fed what was lent; feed it here if there is none.

        What was lent before the run was replayed is dropped.

        Returns:
            Whether it was not.
        """
        if self._lent is not lent:
            return False
        self._lent = None
        if engine is not None:
            self._engine = engine
            self._queue.clear()
        return True

    def _gather(self, facts: Facts, begin: float, deadline: float) -> bool:
        """Queue the points to be fed; False where nothing is to be done."""
        plan = facts.total_steps
        if self.error or self._lent is not None or not self._is_due(plan, begin, deadline):
            return False
        is_known = bool(self._queue) and self._version == self._store.version and plan == self._plan
        is_in_order = is_known or self._read(plan)
        if not is_in_order or (self._order.disordered and self._may_replay(begin, deadline)):
            self.replay()
            self._read(plan)
            self._cost = 0.0
        self._version = self._store.version
        return True

    def _is_due(self, plan: int | None, now: float, deadline: float) -> bool:
        if self.busy or plan != self._plan:
            return True
        return self._order.disordered and self._may_replay(now, deadline)

    def _may_replay(self, now: float, deadline: float) -> bool:
        """Whether the run may be replayed: not too often, and only while all points are held."""
        in_time = now >= self._not_before or deadline == float("inf")
        return in_time and not self._store.has_dropped(self.reads, sampled=False)

    def _read(self, plan: int | None) -> bool:
        """Queue the points that the store got; False where the run must be replayed instead."""
        engine = self._judge()
        headlines = self._store.headlines()
        quantities = [one for one in self._store.quantities() if self.reads(one.meaning)]
        if self._order.is_stale(quantities, headlines):
            return False
        if plan != self._plan:
            # An earlier verdict may depend on the plan of that time.
            self._order.disordered |= self._version >= 0
            self._plan = plan
        engine.plan(plan)
        channels = _channels(engine, quantities, headlines)
        self._queue.extend(self._order.read(quantities, headlines, channels))
        return True

    def reads(self, meaning: Meaning) -> bool:
        """Whether points of a meaning are fed: those of other series may be thinned at any time."""
        from lossmon.diagnosis.engine import Engine

        return not meaning.summary and Engine.wants(meaning)

    def _judge(self) -> Engine:
        if self._engine is None:
            # The first frame shows curves, and must not wait for the import of the engine.
            from lossmon.diagnosis.engine import Engine

            self._engine = Engine(self._sensitivity)
        return self._engine

    def _feed(self, deadline: float) -> None:
        engine, now = self._judge(), time.monotonic()
        while self._queue:
            item = self._queue.popleft()
            if not isinstance(item, RestartMarker):
                batch = item.batch() if isinstance(item, PointWindow) else item
                item, rest = batch.split(self._slice)
                if len(rest):
                    self._queue.appendleft(rest)
            feed(engine, item)
            began, now = now, time.monotonic()
            self._pace(now - began)
            if now > deadline:
                return

    def _pace(self, took: float) -> None:
        """Choose the length of the next slice from the time of the last one."""
        if took < SHORT:
            self._slice = min(2 * self._slice, LARGEST_SLICE)
        elif took > LONG:
            self._slice = max(self._slice // 2, SLICE)


def feed(engine: Engine, item: FeedItem) -> None:
    """Give an engine its next points, or the step at which the run restarted."""
    if isinstance(item, RestartMarker):
        engine.restart(item.step)
    else:
        batch = item.batch() if isinstance(item, PointWindow) else item
        engine.feed(batch.channels, batch.steps, batch.values)


def _channels(
    engine: Engine, quantities: Sequence[MeasuredQuantity], headlines: Headlines
) -> dict[str, int]:
    """The engine's number of each quantity, by key."""
    heads = (headlines.train, headlines.eval)
    return {one.key: engine.channel(_named(one), one.key in heads) for one in quantities}


def _named(quantity: MeasuredQuantity) -> Meaning:
    """What a quantity means, with its own key."""
    meaning = quantity.meaning
    return meaning if meaning.key == quantity.key else replace(meaning, key=quantity.key)
