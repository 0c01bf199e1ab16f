"""Scheduler: which run is judged next where one poll has not time for all of them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lossmon.diagnosis.engine import Engine
    from lossmon.monitor.judging_process import JudgingProcess
    from lossmon.monitor.runs.diagnosis_feed import Backlog

RANKING, RANKING_SHARE = 0.25, 20.0
"""Seconds for which an order of the runs is kept at least, and how many times as long as ranking
them took: of 10,000 runs a tenth of a second."""

FLEET = 64
"""Runs waiting to be judged for the first time from which another process judges some of them:
starting it takes as long as judging twenty."""

SLICE = 0.01
"""Seconds of judging before the next run has its turn: a huge or noisy one delays no other."""


class ScheduledRun(Protocol):
    """A run that can be judged.

    Attributes:
        path: Its own directory or file.
        awaits_judgement: Every file was read to its end, and some points were not judged.
        is_live: It was seen to grow.
        written: Nanoseconds since the Unix epoch of the last write; 0 where unknown.
    """

    @property
    def path(self) -> Path: ...

    @property
    def awaits_judgement(self) -> bool: ...

    @property
    def is_live(self) -> bool: ...

    @property
    def written(self) -> int: ...

    def judge(self, deadline: float) -> None:
        """Judge what is new, until a `time.monotonic()` value; at least a little of it."""
        ...

    def lend(self) -> Backlog | None:
        """Points for another process to judge, unchanged until they are back; None where they are
        judged here."""
        ...

    def take_back(self, lent: Backlog, engine: Engine | None) -> None:
        """Go on with the engine that was fed what was lent; without one it is fed here."""
        ...


class Scheduler:
    """Judges the runs in view and the live ones first, then the others, newest first.

    Attributes:
        prioritised: Paths of the runs in view.
    """

    def __init__(self) -> None:
        self.prioritised: Collection[Path] = frozenset()
        self._ranked_for: Collection[Path] = frozenset()
        self._next_ranking = -math.inf
        self._queue: deque[ScheduledRun] = deque()
        self._turns: dict[Path, int] = {}
        self._helper: JudgingProcess | None = None
        self._may_help = True

    def judge(self, runs: Sequence[ScheduledRun], deadline: float) -> None:
        """Judge the runs in turn, until a `time.monotonic()` value; at least one of them."""
        judged: set[int] = set()
        while run := self._next_or_back(runs, deadline):
            judged.add(id(run))
            self._turns[run.path] = self._turns.get(run.path, 0) + 1
            run.judge(deadline if math.isinf(deadline) else min(deadline, time.monotonic() + SLICE))
            if time.monotonic() > deadline:
                return
        self._turns.clear()
        for run in runs:
            # A changed plan and points that came in another order must be judged too.
            if id(run) not in judged:
                run.judge(deadline)

    def _next_or_back(self, runs: Sequence[ScheduledRun], deadline: float) -> ScheduledRun | None:
        """The run whose turn it is, once those that are judged elsewhere are back."""
        run = self._next(runs)
        self._share()
        while run is None and self._helper and self._helper.is_busy and time.monotonic() < deadline:
            self._helper.collect(deadline - time.monotonic())
            run = self._next(runs)
        return run

    def settle(self) -> None:
        """Nothing is left to be judged."""
        if self._helper is not None:
            self._helper.end()
            self._helper = None

    def _share(self) -> None:
        """Let another process judge the runs whose turn is last, while a fleet is first read."""
        if self._may_help and len(self._queue) >= FLEET:
            self._may_help = False
            # Most users have no fleet, and do without the import.
            from lossmon.monitor.judging_process import JudgingProcess

            self._helper = JudgingProcess() if JudgingProcess.helps() else None
        if self._helper is None:
            return
        self._helper.collect()
        while self._queue and self._helper.has_room:
            self._helper.lend(self._queue.pop())

    def _next(self, runs: Sequence[ScheduledRun]) -> ScheduledRun | None:
        """The run whose turn it is, None where none has points to judge."""
        now = time.monotonic()
        if now >= self._next_ranking or self.prioritised is not self._ranked_for:
            self._queue.clear()
        if not self._queue:
            self._ranked_for = self.prioritised
            in_view = frozenset(self.prioritised)
            waiting = [run for run in runs if run.awaits_judgement]
            self._queue.extend(sorted(waiting, key=lambda run: self._rank(run, in_view)))
            self._next_ranking = now + max(RANKING, RANKING_SHARE * (time.monotonic() - now))
        return self._queue.popleft() if self._queue else None

    def _rank(self, run: ScheduledRun, in_view: Collection[Path]) -> tuple[bool, int, int]:
        first = run.path in in_view or run.is_live
        return not first, self._turns.get(run.path, 0), -run.written
