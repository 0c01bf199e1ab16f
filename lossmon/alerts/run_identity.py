"""Identity of a run that outlives a new name of its directory."""

from __future__ import annotations

import hashlib
import os

from lossmon.types import RunSnapshot


def identity_of(run: RunSnapshot) -> str:
    """The same for a run whose path was renamed, and for no other; empty where it is unknown.

    The number of the directory or the file alone would not do: file systems give it again to what
    is made after a removal. So the first point that was logged belongs to it.
    """
    try:
        status = os.stat(run.path)
    except OSError:
        # Runs of other machines and runs inside of a database have no file of their own here.
        return ""
    firsts = [
        (int(one.steps[0]), one.tag, float(one.values[0])) for one in run.series if len(one.steps)
    ]
    if not firsts:
        return ""
    described = f"{status.st_dev}:{status.st_ino}:{min(firsts)}"
    return hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()[:24]
