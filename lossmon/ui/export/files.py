"""Files that appear whole or not at all, beside what is there already."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LONGEST = 80
"""Characters of a run's name in a file name."""


def file_name(run: str, now: float) -> str:
    """A name for the files of a run, without ending: letters that every file system takes.

    Args:
        run: What the run is called; may be hostile.
        now: Seconds since the Unix epoch.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", run).strip("-.")[:LONGEST]
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    return f"{plain or 'run'}-{stamp}"


@contextmanager
def fresh(path: Path) -> Iterator[TextIO]:
    """A new text file at `path`; it is there once the block has ended well.

    Raises:
        FileExistsError: There is one already; it is left alone.
        OSError: It cannot be written.
    """
    if path.exists():
        raise FileExistsError(17, "is there already", str(path))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8", newline="") as out:
            yield out
        # A link, unlike a rename, never replaces what somebody else wrote meanwhile.
        try:
            os.link(beside, path)
        except FileExistsError:
            raise
        except OSError:
            # Not every file system has links; there the earlier look has to do.
            beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)
