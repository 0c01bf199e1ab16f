"""Size of the checkpoints of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lossmon.types import RunSnapshot

NEWEST = 3
"""Newest checkpoints that are measured; the newest may still be written."""

MOST_FILES = 512
"""Files per checkpoint that are measured: shards of a large model on many ranks."""

FOLDERS = ("", "checkpoints", "ckpt", "weights")
"""Where checkpoints lie in a run."""


def checkpoint_size(run: RunSnapshot) -> int | None:
    """Bytes of the largest of the newest checkpoints, None where none can be measured."""
    base = run.path if run.path.is_dir() else run.path.parent
    sizes = []
    for _, name in run.checkpoints[-NEWEST:]:
        places = (os.path.join(base, folder, name) for folder in FOLDERS)
        size = next((size for place in places if (size := _size(place))), 0)
        sizes.append(size)
    return max(sizes, default=0) or None


def _size(path: str) -> int:
    try:
        if os.path.isfile(path):
            return os.path.getsize(path)
        return sum(size for _, size in zip(range(MOST_FILES), _files(path), strict=False))
    except OSError:
        return 0


def _files(path: str) -> Iterator[int]:
    """Sizes of the files of a directory and of those in it."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                with os.scandir(entry.path) as inner:
                    yield from (one.stat().st_size for one in inner if one.is_file())
            elif entry.is_file():
                yield entry.stat().st_size
