"""Stalled reads: work on a network file system that is given up when it does not get on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from lossmon.errors import LossmonError
from lossmon.filesystems import silent_mounts

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds without progress after which a file system is given up: one operation of a server that is
merely busy takes less."""

EVERY = 0.5
"""Seconds between two looks at the progress."""


class FileSystemStalled(LossmonError):
    """A file system does not answer; says which."""


def unless_stalled(work: Callable[[], T], paths: Iterable[Path]) -> T:
    """Do some work that reads files, and give it up where a network file system stalls it.

    Args:
        work: Done in a thread of its own where one of the paths is on such a file system: a thread
            that hangs in the kernel cannot be ended, but left behind.

    Raises:
        FileSystemStalled: It got no further for `PATIENCE` seconds.
    """
    mounts = silent_mounts(paths)
    if not mounts:
        return work()
    thread = _Working(work)
    thread.start()
    used, stalled = -1.0, 0
    while not thread.done.wait(EVERY):
        now = thread.cpu()
        # Looks are counted, because clocks go on while this process is stopped.
        used, stalled = now, stalled + 1 if now == used else 0
        if stalled * EVERY >= PATIENCE:
            names = ", ".join(f"{point} ({kind})" for point, kind in mounts)
            raise FileSystemStalled(
                f"{names} has not answered for {PATIENCE:g} s: the file system may be down"
            )
    if thread.error is not None:
        raise thread.error
    return thread.results[0]


class _Working(threading.Thread, Generic[T]):
    """Does the work; its CPU time shows whether it gets on."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="work on files", daemon=True)
        self._work = work
        self._clock: int | None = None
        self.results: list[T] = []
        self.error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        try:
            self.results.append(self._work())
        except BaseException as error:
            # It belongs to the caller, which raises it.
            self.error = error
        finally:
            self.done.set()

    def cpu(self) -> float:
        """Seconds of CPU time used so far."""
        try:
            return 0.0 if self._clock is None else time.clock_gettime(self._clock)
        except OSError:
            return 0.0
