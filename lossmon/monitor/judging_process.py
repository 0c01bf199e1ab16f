"""Process that judges beside this one: when a fleet is first read, judging is most of the work."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from lossmon.monitor.runs.diagnosis_feed import Backlog, FeedItem, feed

if TYPE_CHECKING:
    from lossmon.diagnosis.engine import Engine
    from lossmon.monitor.scheduler import ScheduledRun

AHEAD = 4
"""Backlogs that wait for the process: it has work while this process judges a run of its own."""

PATIENCE = 10.0
"""Seconds without a result after which the process counts as lost: a backlog takes milliseconds."""

# The child finds the modules that this process has found, and adds no directory of its own.
_CHILD = "import sys; sys.path[:] = {path!r}; from {module} import serve; serve()"


class JudgingProcess:
    """A child process that feeds backlogs to engines; it ends with this process, however that does.

    Only what this process wrote is unpickled by the child, and the reverse.

    Attributes:
        is_lost: It has failed, and takes no more.
    """

    def __init__(self) -> None:
        code = _CHILD.format(path=sys.path, module=__name__)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None
        self._tasks = self._process.stdin
        self._results: queue.SimpleQueue[Engine | EOFError | None] = queue.SimpleQueue()
        self._lent: deque[tuple[ScheduledRun, Backlog]] = deque()
        self._answered = time.monotonic()
        self.is_lost = False
        arguments = (self._process, self._results)
        threading.Thread(target=_receive, args=arguments, name="judging", daemon=True).start()
        self._close = weakref.finalize(self, _close, self._tasks)

    @staticmethod
    def helps() -> bool:
        """Whether there is a processor for it."""
        return bool(sys.executable) and len(os.sched_getaffinity(0)) > 1

    @property
    def is_busy(self) -> bool:
        """Whether some backlogs are not back."""
        return bool(self._lent)

    @property
    def has_room(self) -> bool:
        """Whether another backlog may wait for it."""
        return len(self._lent) < AHEAD and not self.is_lost

    def lend(self, run: ScheduledRun) -> None:
        """Send the backlog of a run, if it lends one."""
        if (backlog := run.lend()) is None:
            return
        if not self._lent:
            self._answered = time.monotonic()
        self._lent.append((run, backlog))
        try:
            pickle.dump(backlog, self._tasks, pickle.HIGHEST_PROTOCOL)
            self._tasks.flush()
        except OSError:
            self.give_up()

    def collect(self, seconds: float = 0.0) -> None:
        """Take back what was judged, and wait up to so long for the first."""
        end = time.monotonic() + min(seconds, PATIENCE)
        while self._lent:
            left = end - time.monotonic()
            try:
                result = self._results.get(left > 0, max(left, 0.0))
            except queue.Empty:
                if time.monotonic() - self._answered >= PATIENCE:
                    self.give_up()
                return
            if isinstance(result, EOFError):
                return self.give_up()
            run, backlog = self._lent.popleft()
            run.take_back(backlog, result)
            self._answered, end = time.monotonic(), 0.0

    def give_up(self) -> None:
        """Judge here what is not back."""
        self.is_lost = True
        self._process.kill()
        while self._lent:
            run, backlog = self._lent.popleft()
            run.take_back(backlog, None)

    def end(self) -> None:
        """Let the process end once it has no more to do."""
        self._close()


def _close(tasks: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        tasks.close()


def _receive(
    process: subprocess.Popen[bytes], results: queue.SimpleQueue[Engine | EOFError | None]
) -> None:
    """Pass on what the process writes, until it ends."""
    assert process.stdout is not None
    with process.stdout as answers:
        try:
            while True:
                results.put(pickle.load(answers))
        except (EOFError, OSError, pickle.UnpicklingError):
            results.put(EOFError())
    process.wait()


def serve() -> None:
    """Feed the backlogs that come by standard input to their engines, and send these back."""
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            pickle.dump(_fed(*pickle.load(tasks)), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


def _fed(engine: Engine, items: Sequence[FeedItem]) -> Engine | None:
    """The engine once it was fed, None after an error: it happens again here, and is noted."""
    try:
        for item in items:
            feed(engine, item)
    except Exception:
        return None
    return engine
