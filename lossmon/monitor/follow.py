"""Snapshots as they change: the monitor and the watch of its files, for use without a screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lossmon.monitor.monitor import Monitor, MonitorConfig
from lossmon.types import Snapshot
from lossmon.watch import Watch

HEARTBEAT = 1.0
"""Seconds after which the files are looked at even if no event came: network mounts send none."""

READING = 0.25
"""Seconds of reading between two looks at whether to stop."""


class Follower:
    """Follows every run under some paths until it is stopped.

    Args:
        paths: What to follow; they need not exist yet.
        config: Settings of the monitor.
        clock: Seconds since the Unix epoch.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        config: MonitorConfig | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._paths = tuple(paths)
        self._monitor = Monitor(paths, config, clock=clock)
        self._changed = threading.Event()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the iteration soon. Any thread and any signal handler may call it."""
        self._stopped.set()
        self._changed.set()

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
        with Watch(self._paths, self._changed) as watch:
            last, files = None, None
            while not self._stopped.is_set():
                self._changed.clear()
                snapshot = self._monitor.poll(READING)
                if files is not self._monitor.files:
                    files = self._monitor.files
                    watch.update(files)
                if not snapshot.busy and (idle or snapshot is not last):
                    last = snapshot
                    yield snapshot
                left = heartbeat if end is None else min(heartbeat, end - time.monotonic())
                if left <= 0:
                    return
                if not snapshot.busy:
                    self._changed.wait(left)
