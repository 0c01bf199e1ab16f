"""Heap of the process: memory that reading has freed, returned to the system."""

from __future__ import annotations

LARGE = 8 << 20
"""Bytes of logs, read since the last time, from which it is worth while."""

MMAP_THRESHOLD = 128 << 10
"""Bytes from which a block is mapped by itself, and returned as soon as it is freed: columns of
16,000 points. glibc begins with the same value, and raises it with every such block."""

M_MMAP_THRESHOLD = -3
"""The name of that parameter in `malloc.h`."""


class Heap:
    """Returns freed memory once much was read.

    glibc keeps what it freed below a block that is still in use: 13 MB after a run of 100,000
    steps. Columns that grow for weeks would leave such holes again and again, so they are mapped
    once the first large log is read; while it is read, the heap is faster.
    """

    def __init__(self) -> None:
        self._trimmed_at = 0

    def trim(self, loaded: int) -> None:
        """Return freed memory.

        Args:
            loaded: Bytes of logs that were read in all.
        """
        if loaded - self._trimmed_at >= LARGE:
            self._trimmed_at = loaded
            _call("mallopt", M_MMAP_THRESHOLD, MMAP_THRESHOLD)
            return_freed()


def return_freed() -> None:
    """Return freed memory at once, as after the thinning of columns."""
    _call("malloc_trim", 0)


def _call(function: str, *arguments: int) -> None:
    # Imported for large logs alone; only glibc has the functions.
    import ctypes

    try:
        getattr(ctypes.CDLL(None), function)(*arguments)
    except (AttributeError, OSError, TypeError):
        return
