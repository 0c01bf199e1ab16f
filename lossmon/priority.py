"""Priority of threads: who reads logs gives way to who trains."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

NICE = 5
"""Niceness: of a core that a training wants too, a quarter is left, so the screen stays quick."""


def give_way() -> None:
    """Give the calling thread a low priority for processors and the idle class for disks.

    Threads that it starts inherit both; all other threads keep theirs. Does nothing where the
    system knows no priorities of threads, or does not allow it.
    """
    if sys.platform != "linux":
        return
    # The first frame does without it.
    import psutil

    thread = threading.get_native_id()
    with contextlib.suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, max(niceness, NICE))
    with contextlib.suppress(OSError, psutil.Error):
        psutil.Process(thread).ionice(psutil.IOPRIO_CLASS_IDLE)
