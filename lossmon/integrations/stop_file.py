"""The file that asks a training to stop, as the training sees it."""

from __future__ import annotations

import os
from pathlib import Path


class StopFile:
    """Looks for a stop file; one that was there before the training is left from an older one.

    Args:
        path: The file that `lossmon watch --stop-file` makes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._old = self._state()

    def is_there(self) -> bool:
        """Whether the training is asked to stop."""
        state = self._state()
        return state is not None and state != self._old

    def _state(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns
