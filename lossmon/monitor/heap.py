"""Heap of the process: returned to the system what was freed, and searched for garbage briefly."""

from __future__ import annotations

import gc
import math
import time

SOON = 2.0
"""Seconds after which memory is returned again: the screen still shows the columns of before, which
are freed once it has the next snapshot."""

LARGE = 8 << 20
"""Bytes of logs, read since the last time, from which it is worth while."""

SMALL_BLOCK = 128 << 10
"""Bytes from which a block is mapped by itself, and returned as soon as it is freed: columns of
16,000 points. glibc begins with the same value, and raises it with every such block."""

LARGE_BLOCK = 4 << 20
"""The same where freed memory is kept: pieces of a megabyte would be mapped and cleared anew each
time."""

KEPT = 16 * LARGE_BLOCK
"""Free bytes that are kept meanwhile."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""The names of these parameters in `malloc.h`."""


class Heap:
    """Returns freed memory once much was read, and keeps it until then if asked.

    glibc keeps what it freed below a block that is still in use: 13 MB after a run of 100,000
    steps. Columns that grow for weeks would leave such holes again and again, so they are mapped
    once the first large log is read.
    """

    def __init__(self) -> None:
        self._trimmed_at = 0
        self._again = math.inf
        # Threads of Python wait for each other anyway; an arena each leaves holes in both.
        _call("mallopt", M_ARENA_MAX, 1)

    def keep(self) -> None:
        """Keep freed memory until the first large log was read.

        For a command that ends then: of what stays, blocks between these two sizes leave holes of
        10 MB in all.
        """
        _call("mallopt", M_MMAP_THRESHOLD, LARGE_BLOCK)
        _call("mallopt", M_TRIM_THRESHOLD, KEPT)

    def trim(self, loaded: int) -> None:
        """Return freed memory.

        Args:
            loaded: Bytes of logs that were read in all.
        """
        now = time.monotonic()
        if loaded - self._trimmed_at >= LARGE:
            self._trimmed_at, self._again = loaded, now + SOON
            _call("mallopt", M_MMAP_THRESHOLD, SMALL_BLOCK)
            _call("mallopt", M_TRIM_THRESHOLD, SMALL_BLOCK)
            return_freed()
        elif now >= self._again:
            self._again = math.inf
            return_freed()


def return_freed() -> None:
    """Return freed memory at once, as after the thinning of columns."""
    _call("malloc_trim", 0)


def _call(function: str, *arguments: int) -> None:
    # Only glibc has the functions.
    import ctypes

    try:
        getattr(ctypes.CDLL(None), function)(*arguments)
    except (AttributeError, OSError, TypeError):
        return


LONG_SEARCH, MANY = 0.02, 200_000
"""CPU seconds of a full search for garbage, and objects in use at its end, from which on these are
left out of later ones: visiting so many takes that long. So may freeing views that were closed."""


def search_briefly() -> None:
    """Keep Python's searches for garbage short, however many runs there are.

    Every thread waits for a full search, which visits all objects: half a second with 3,000 runs
    that stay. What is left at the end of a long one is no garbage, and is not visited again.
    """
    began = 0.0

    def look(phase: str, about: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.thread_time()
            return
        is_long = about["generation"] == 2 and time.thread_time() - began > LONG_SEARCH
        if is_long and len(gc.get_objects(2)) > MANY:
            gc.freeze()

    gc.callbacks.append(look)
