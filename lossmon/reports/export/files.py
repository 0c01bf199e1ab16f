"""Output files: their names, their progress, and how they are written whole or not at all."""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LONGEST = 120
"""Most bytes of a run's name in a file name."""


def file_name(run: str, now: float) -> str:
    """Name for the files of a run, without suffix, in letters, digits, dots and dashes.

    Args:
        run: Name of the run; untrusted.
        now: Seconds since the Unix epoch.
    """
    return f"{safe_name(run)}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}"


def safe_name(run: str) -> str:
    """Name of a run in letters of any script, digits, dots and dashes; never empty."""
    kept = (one if one in "._" or unicodedata.category(one)[0] in "LMN" else " " for one in run)
    name = "-".join("".join(kept).split()).strip("-.")
    return name.encode()[:LONGEST].decode(errors="ignore") or "run"


def unique(names: Iterable[str]) -> list[str]:
    """Number repeated names: `run`, `run_2`, `run_3`."""
    found: list[str] = []
    for name in names:
        count = sum(one == name or one.rpartition("_")[0] == name for one in found)
        found.append(f"{name}_{count + 1}" if count else name)
    return found


@contextmanager
def fresh(path: Path) -> Iterator[TextIO]:
    """Open a new text file, which appears at `path` when the block ends without an error.

    Raises:
        FileExistsError: The path exists; it is left as it is.
        OSError: The file cannot be written.
    """
    if path.exists():
        raise FileExistsError(17, "already exists", str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("x", encoding="utf-8", newline="") as out:
            yield out
        # Unlike a rename, a link never replaces a file that appeared meanwhile.
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:
            # Not every file system has links; there the check above has to do.
            temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


class Cancelled(Exception):
    """The user cancelled the task."""


class Work:
    """Progress of a task. The task and the user may be in different threads.

    Args:
        report: Called with the share that is done, 0 to 1, now and then.
    """

    def __init__(self, report: Callable[[float], None] = lambda _share: None) -> None:
        self._report = report
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the task at its next `reach`."""
        self._cancelled.set()

    def reach(self, done: int, total: int) -> None:
        """Report how much is done.

        Raises:
            Cancelled: The user cancelled the task.
        """
        if self._cancelled.is_set():
            raise Cancelled
        self._report(min(1.0, done / total) if total > 0 else 1.0)
