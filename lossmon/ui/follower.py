"""Follower: polls a source of runs in a thread and posts its snapshots to the app."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from textual.message import Message

from lossmon.errors import internal_error
from lossmon.monitor import RunSource
from lossmon.types import Snapshot

BUDGET = 0.05
"""Seconds of reading between two chances to stop."""

FRAME = 0.5
"""Seconds between two pictures of a live run, or while a long log is being read: twice a second
reads as live, and costs a slow line, the reader's machine and the reading itself little."""

SHARE = 0.025
"""Part of a core that reading, judging and drawing a live run may take: where one picture costs
more (a page of charts, thousands of lines, a slow machine), the next comes later."""

SLOWEST = 1.0
"""Most seconds between two pictures, whatever they cost."""

GROWTH = 1.2
"""How much later than before the next picture comes at most: one expensive key is no habit."""

KEY_PAUSE = 0.15
"""Seconds that reading pauses after a key: one Python thread works at a time, and opening a view
takes half of this when it is left alone."""

FIRST_PICTURE = 0.1
"""Seconds that drawing the first verdict has for itself."""

LONG_LOG = 1.0
"""Seconds of reading after which file events and hardware wait no longer for the end of the log."""

HEARTBEAT = 1.0
"""Seconds after which the source is polled even if no file event came: network mounts send
none."""


class SnapshotReady(Message):
    """New data. A newer message replaces it: it carries the state, not a change."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)


class ReadingFailed(Message):
    """A poll failed; the next one follows all the same."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class PictureInterval:
    """Time between two pictures of a live run: longer where reading and drawing cost more.

    Attributes:
        seconds: From one picture to the next.
    """

    def __init__(self) -> None:
        self.seconds = FRAME
        self._spent = 0.0

    def adapt(self, spent: float) -> None:
        """Take the CPU seconds that the process has used so far; called once per poll."""
        needed = (spent - self._spent) / SHARE
        self._spent = spent
        self.seconds = min(max(FRAME, needed), GROWTH * self.seconds, SLOWEST)


class SnapshotPoller:
    """Polls until it is stopped.

    Args:
        source: Where the snapshots come from.
        post: Posts a message to the app, from any thread.
        begin: Called once, after what was there is read and shown, or is found to take long.
        shown: The snapshot that is on the screen already, or None.

    Attributes:
        source: Where the snapshots come from.
        last_key: `time.monotonic()` of the newest key, minus infinity before the first.
    """

    def __init__(
        self,
        source: RunSource,
        post: Callable[[Message], object],
        begin: Callable[[], None],
        shown: Snapshot | None,
    ) -> None:
        self.source = source
        self.last_key = float("-inf")
        self._post, self._begin, self._shown = post, begin, shown
        self._paused = self._has_begun = False
        self._ended = threading.Event()
        self._polling = threading.Lock()
        """Held while a thread polls: a source is made for one."""
        self._due = 0.0
        """`time.monotonic()` from which on a snapshot of a busy source is posted."""
        self._interval = PictureInterval()
        self._late = math.inf
        """The same from which on a busy source delays no longer what may wait."""

    @property
    def paused(self) -> bool:
        """Whether reading is paused; what came meanwhile is shown afterwards."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._paused = paused
        self.source.changed.set()

    def run(self) -> None:
        """Publish what is new, then wait for a change; returns once it was stopped."""
        with self._polling:
            while not self._ended.is_set():
                self.source.changed.clear()
                if self._ended.is_set():
                    # What was just cleared may have been set by `stop`.
                    return
                if self._paused:
                    # Nothing is read meanwhile; the next snapshot is shown even if it is the same.
                    self._shown = None
                    self.source.changed.wait()
                else:
                    self._poll()

    def _poll(self) -> None:
        try:
            snapshot = self.source.poll(BUDGET)
        except BaseException as error:
            self._post(ReadingFailed(internal_error(error)))
            self._ended.wait(HEARTBEAT)
            return
        now = time.monotonic()
        self._interval.adapt(time.process_time())
        is_shown = snapshot is not self._shown and (now >= self._due or not snapshot.busy)
        if is_shown:
            self._post(SnapshotReady(snapshot))
            self._shown, self._due = snapshot, now + FRAME
        self._late = min(self._late, now + LONG_LOG)
        if not snapshot.busy or now >= self._late:
            self._begin_once()
        if snapshot.busy:
            if (pause := self.last_key + KEY_PAUSE - now) > 0:
                self._ended.wait(pause)
        elif is_shown:
            self._ended.wait(self._interval.seconds)
        else:
            self._interval.seconds = FRAME
            self.source.changed.wait(HEARTBEAT)

    def _begin_once(self) -> None:
        """Start what may wait until the log is read; importing it holds up the picture."""
        if not self._has_begun:
            self._has_begun = True
            if not self._ended.wait(FIRST_PICTURE):
                self._begin()

    def stop(self) -> None:
        """End `run`, which returns at the end of the poll that it is in."""
        self._ended.set()
        self.source.changed.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end of `run`; False if it still polls after `timeout` seconds."""
        ended = self._polling.acquire(timeout=timeout)
        if ended:
            self._polling.release()
        return ended
