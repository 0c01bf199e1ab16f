"""Scheduler: which run is judged next where one poll has not time for all of them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

RANKING = 0.25
"""Seconds for which an order of the runs is kept: ranking thousands of them takes milliseconds."""

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

    def judge(self, runs: Sequence[ScheduledRun], deadline: float) -> None:
        """Judge the runs in turn, until a `time.monotonic()` value; at least one of them."""
        judged: set[int] = set()
        while run := self._next(runs):
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

    def _next(self, runs: Sequence[ScheduledRun]) -> ScheduledRun | None:
        """The run whose turn it is, None where none has points to judge."""
        now = time.monotonic()
        if now >= self._next_ranking or self.prioritised is not self._ranked_for:
            self._queue.clear()
        if not self._queue:
            self._ranked_for, self._next_ranking = self.prioritised, now + RANKING
            in_view = frozenset(self.prioritised)
            waiting = [run for run in runs if run.awaits_judgement]
            self._queue.extend(sorted(waiting, key=lambda run: self._rank(run, in_view)))
        return self._queue.popleft() if self._queue else None

    def _rank(self, run: ScheduledRun, in_view: Collection[Path]) -> tuple[bool, int, int]:
        first = run.path in in_view or run.is_live
        return not first, self._turns.get(run.path, 0), -run.written
