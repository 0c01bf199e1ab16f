"""History of the badge of a run where findings about its hardware came and went."""

from __future__ import annotations

import heapq
from collections import deque

from lossmon.types import Finding, RunSnapshot, VerdictChange

MOST = 100
"""Changes that are kept: a finding that comes and goes for days says nothing new."""


class BadgeHistory:
    """What the hardware did to the badge of one run for as long as it was watched."""

    def __init__(self) -> None:
        self._changes: deque[VerdictChange] = deque(maxlen=MOST)
        self._leads = False
        """The badge was about the hardware the last time."""

    def add(self, run: RunSnapshot, badge: Finding) -> None:
        """Take note of the badge now.

        Args:
            run: The run, with the diagnosis of its curves.
            badge: The verdict on its curves and its hardware together.
        """
        step, led = run.step or 0, self._leads
        self._leads = badge is not run.diagnosis.verdict
        while self._changes and self._changes[-1].step > step:
            # The run began anew.
            self._changes.pop()
        last = self._changes[-1] if self._changes else None
        known = last is not None and (last.code, last.severity) == (badge.code, badge.severity)
        if (self._leads or led) and not known:
            change = VerdictChange(step, badge.code, badge.severity, badge.variant, hardware=True)
            self._changes.append(change)

    def merged(self, history: tuple[VerdictChange, ...]) -> tuple[VerdictChange, ...]:
        """The history of the verdicts about the curves with these changes, by their steps."""
        return tuple(heapq.merge(history, self._changes, key=lambda change: change.step))
