"""Whose turn it is to be judged, where more runs wait for it than one poll has time for."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

SLICE = 0.01
"""Seconds of judging before the next run has its turn: a huge or noisy one holds up no other."""


class ScheduledRun(Protocol):
    """A run as the turns see it.

    Attributes:
        path: Its own directory or file.
        awaits_judgement: Points were read to the end that the diagnosis has not heard.
        is_live: It grew while it was watched.
        written: When it was written last, in nanoseconds; 0 where unknown.
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
        """Hear what is new, until a `time.monotonic()` value; at least a little of it."""
        ...


class Scheduler:
    """Judges first what is looked at and what is alive, then the others, newest first."""

    def __init__(self) -> None:
        self.prioritised: Collection[Path] = frozenset()
        self._had: dict[Path, int] = {}

    def judge(self, runs: Sequence[ScheduledRun], deadline: float) -> None:
        """Let the runs be judged in turn, until a `time.monotonic()` value.

        However late it is, one of them has its turn.
        """
        waiting = [run for run in runs if run.awaits_judgement]
        others = set(map(id, waiting))
        while waiting:
            waiting.sort(key=self._rank)
            for run in waiting:
                self._had[run.path] = self._had.get(run.path, 0) + 1
                run.judge(
                    deadline if math.isinf(deadline) else min(deadline, time.monotonic() + SLICE)
                )
                if time.monotonic() > deadline:
                    return
            waiting = [run for run in waiting if run.awaits_judgement]
        self._had.clear()
        for run in runs:
            # A plan that changed, or points that came in another order, are news too.
            if id(run) not in others:
                run.judge(deadline)

    def _rank(self, run: ScheduledRun) -> tuple[bool, int, int]:
        first = run.path in self.prioritised or run.is_live
        return not first, self._had.get(run.path, 0), -run.written
