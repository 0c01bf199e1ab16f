"""Snapshots as they change: the monitor and the watch of its files, for use without a screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lossmon.monitor.monitor import MonitorConfig
from lossmon.monitor.source import LocalSource, RunSource
from lossmon.types import Snapshot

HEARTBEAT = 1.0
"""Seconds after which the files are looked at even if no event came: network mounts send none."""

READING = 0.25
"""Seconds of reading between two looks at whether to stop."""


class Follower:
    """Follows every run of a source until it is stopped.

    Args:
        source: The source, or paths whose runs are followed; they need not exist yet.
        config: Settings of the monitor, where paths are given.
        clock: Seconds since the Unix epoch, where paths are given.
    """

    def __init__(
        self,
        source: RunSource | Sequence[Path],
        config: MonitorConfig | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(source, Sequence):
            source = LocalSource(source, config, hardware=False, clock=clock)
        self._source = source
        self._stopped = threading.Event()
        self.polled = time.monotonic()
        """When the newest poll began, on the monotonic clock; one that hangs is noticed by it."""

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End the iteration soon. Any thread and any signal handler may call it."""
        self._stopped.set()
        self._source.changed.set()

    def snapshots(
        self,
        timeout: float | None = None,
        *,
        heartbeat: float = HEARTBEAT,
        idle: bool = False,
    ) -> Iterator[Snapshot]:
        """Yield each snapshot that differs from the one before, everything known being read.

        Args:
            timeout: Seconds after which the iteration ends, None for no limit.
            heartbeat: Seconds between two looks while no file changes.
            idle: Yield at each look, the very same snapshot while nothing changed.
        """
        end = None if timeout is None else time.monotonic() + timeout
        source, last = self._source, None
        try:
            source.begin()
            while not self._stopped.is_set():
                source.changed.clear()
                self.polled = time.monotonic()
                snapshot = source.poll(READING)
                if not snapshot.busy and (idle or snapshot is not last):
                    last = snapshot
                    yield snapshot
                left = heartbeat if end is None else min(heartbeat, end - time.monotonic())
                if left <= 0:
                    return
                if not snapshot.busy:
                    source.changed.wait(left)
        finally:
            source.stop()
