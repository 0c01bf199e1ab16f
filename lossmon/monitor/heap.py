"""Heap of the process: memory that reading has freed, returned to the system."""

from __future__ import annotations

LARGE = 8 << 20
"""Bytes of logs, read since the last time, from which it is worth while."""


class Heap:
    """Returns freed memory once much was read.

    glibc keeps what it freed below a block that is still in use: 13 MB after a run of 100,000
    steps.
    """

    def __init__(self) -> None:
        self._trimmed_at = 0

    def trim(self, loaded: int) -> None:
        """Return freed memory.

        Args:
            loaded: Bytes of logs that were read in all.
        """
        if loaded - self._trimmed_at < LARGE:
            return
        self._trimmed_at = loaded
        # Imported for large logs alone; only glibc has the function.
        import ctypes

        try:
            ctypes.CDLL(None).malloc_trim(0)
        except (AttributeError, OSError, TypeError):
            return
