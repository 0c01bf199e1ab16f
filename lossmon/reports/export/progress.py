"""Progress of a long task, which the user may cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancelled(Exception):
    """The user cancelled the task."""


class Work:
    """Progress of a task. The task and the user may be in different threads.

    Args:
        report: Called with the share that is done, 0 to 1, now and then.
    """

    def __init__(self, report: Callable[[float], None] = lambda _share: None) -> None:
        self._report = report
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the task at its next `reach`."""
        self._cancelled.set()

    def reach(self, done: int, total: int) -> None:
        """Report how much is done.

        Raises:
            Cancelled: The user cancelled the task.
        """
        if self._cancelled.is_set():
            raise Cancelled
        self._report(min(1.0, done / total) if total > 0 else 1.0)
