"""How far a long piece of work is, and whether it should go on."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancelled(Exception):
    """The user did not want to wait for the end."""


class Work:
    """Told by who works, read by who shows it; the two may be in different threads.

    Args:
        tell: Called with the share that is done, 0 to 1, now and then.
    """

    def __init__(self, tell: Callable[[float], None] = lambda _share: None) -> None:
        self._tell = tell
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask the work to end; it does at its next `reach`."""
        self._cancelled.set()

    def reach(self, done: int, total: int) -> None:
        """Say how much is done.

        Raises:
            Cancelled: The user asked to end it.
        """
        if self._cancelled.is_set():
            raise Cancelled
        self._tell(min(1.0, done / total) if total > 0 else 1.0)
