"""Guard of the reading: an alert where a file system does not answer any more.

A look at a dead network mount never returns, and what hangs cannot raise an alert itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT = 120.0
"""Seconds after which a look counts as stuck: servers that fail over answer again within two
minutes."""

EVERY = 5.0
"""Seconds between two checks."""


class ReadingGuard(threading.Thread):
    """Reports once when polls stop coming, and again only after they have come back.

    Args:
        polled: Returns when the newest poll began, on the monotonic clock.
        report: Called with the seconds since the last poll.
        limit: Seconds without a poll that count as stuck.
        every: Seconds between two checks.
    """

    def __init__(
        self,
        polled: Callable[[], float],
        report: Callable[[float], None],
        *,
        limit: float = LIMIT,
        every: float = EVERY,
    ) -> None:
        super().__init__(name="guard of the reading", daemon=True)
        self._polled, self._report = polled, report
        self._limit, self._every = limit, every
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def run(self) -> None:
        reported = False
        while not self._stopped.wait(self._every):
            silence = time.monotonic() - self._polled()
            if silence > self._limit and not reported:
                self._report(silence)
            reported = silence > self._limit
