"""Lets the diagnosis hear what a run logged, and judges anew where the order was upset."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from lossmon.errors import internal_error
from lossmon.store import RunStore
from lossmon.store.training_order import PointBatch, RestartMarker, TrainingOrder
from lossmon.types import (
    UNJUDGED,
    Confidence,
    Diagnosis,
    Facts,
    Finding,
    Meaning,
    Severity,
)

if TYPE_CHECKING:
    from lossmon.diagnosis.engine import Engine

SLICE = 512
"""Points that the diagnosis hears before the clock is looked at: a few milliseconds' worth of a
calm curve, and some twenty of one so noisy that it is judged every few dozen points."""

RETELL_SHARE = 20.0
"""Telling a run anew may take a twentieth of the time, however long the run is."""


_FAILED = Finding("not_judged", Severity.NEUTRAL, 0, Confidence.HIGH)


class DiagnosisFeed:
    """The diagnosis of one run. One thread calls it.

    Attributes:
        error: Why the run is judged no further, or empty.
    """

    def __init__(self, store: RunStore, sensitivity: float) -> None:
        self._store = store
        self._sensitivity = sensitivity
        self._cost = 0.0
        self._not_before = 0.0
        self._begin()

    def _begin(self) -> None:
        self.error = ""
        self._engine: Engine | None = None
        self._queue: deque[RestartMarker | PointBatch] = deque()
        self._heard_version = -1
        self._plan: tuple[int | None, float | None] = (None, None)

    @property
    def busy(self) -> bool:
        """Whether points are known that were not judged."""
        behind = bool(self._queue) or self._heard_version != self._store.version
        return behind and not self.error

    def retell(self) -> None:
        """Forget all that was heard: the next call of `listen` begins with the first point."""
        self._begin()
        self._store.rewind()

    def diagnosis(self) -> Diagnosis:
        """What is thought of the points heard so far."""
        if not self.error:
            try:
                return UNJUDGED if self._engine is None else self._engine.diagnosis()
            except Exception as error:
                self.fail(error)
        return Diagnosis(_FAILED, (_FAILED,), ())

    def fail(self, error: Exception) -> None:
        """Judge no further because of an error in lossmon itself, until all is told anew."""
        self._begin()
        self.error = f"{internal_error(error)}; the run is not judged"

    def listen(self, facts: Facts, deadline: float) -> bool:
        """Hear what is new, until a `time.monotonic()` value; tell whether there was anything."""
        if self.error:
            return False
        begin = time.monotonic()
        plan = (facts.total_steps, facts.total_epochs)
        if not self._is_news(plan, begin, deadline):
            return False
        engine, tape = self._judges()
        if tape.is_stale(self._store):
            self.retell()
            engine, tape = self._judges()
        if plan != self._plan:
            # An earlier verdict may have leant on what was planned then.
            tape.disordered |= self._heard_version >= 0
            self._plan = plan
        engine.plan(*plan)
        pieces = list(tape.pull(self._store))
        if tape.disordered and self._may_retell(begin, deadline):
            self.retell()
            self._plan = plan
            engine, tape = self._judges()
            engine.plan(*plan)
            pieces = list(tape.pull(self._store))
            self._cost = 0.0
        self._queue.extend(pieces)
        self._heard_version = self._store.version
        self._hear(engine, deadline)
        self._cost += time.monotonic() - begin
        self._not_before = time.monotonic() + RETELL_SHARE * self._cost
        return True

    def _is_news(self, plan: tuple[int | None, float | None], now: float, deadline: float) -> bool:
        if self.busy or plan != self._plan:
            return True
        return self._tape.disordered and self._may_retell(now, deadline)

    def _may_retell(self, now: float, deadline: float) -> bool:
        """Whether all can and may be told anew: not too often, and only while all is still held."""
        in_time = now >= self._not_before or deadline == float("inf")
        return in_time and not self._store.is_thinned

    def _judges(self) -> tuple[Engine, TrainingOrder]:
        """The diagnosis and what it is told from; made when first asked for."""
        if self._engine is None:
            # The first frame shows curves, and must not wait for what judges them.
            from lossmon.diagnosis.engine import Engine

            engine = self._engine = Engine(self._sensitivity)

            def channel(key: str, what: Meaning, headline: bool) -> int:
                return engine.channel(replace(what, key=key), headline)

            self._tape = TrainingOrder(channel, engine.wants)
        return self._engine, self._tape

    def _hear(self, engine: Engine, deadline: float) -> None:
        while self._queue:
            piece = self._queue.popleft()
            if isinstance(piece, RestartMarker):
                engine.restart(piece.step)
            else:
                self._feed(engine, piece)
            if time.monotonic() > deadline:
                return
        self._store.thin()

    def _feed(self, engine: Engine, piece: PointBatch) -> None:
        if len(piece.steps) > SLICE:
            rest = PointBatch(
                piece.channels[SLICE:],
                piece.steps[SLICE:],
                piece.values[SLICE:],
                piece.walls[SLICE:],
            )
            self._queue.appendleft(rest)
        engine.feed(
            piece.channels[:SLICE], piece.steps[:SLICE], piece.values[:SLICE], piece.walls[:SLICE]
        )
