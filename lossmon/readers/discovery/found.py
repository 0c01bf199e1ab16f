"""Discovery types: a file with its format, and a run with its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.readers.format import Format, Origin, Rank


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a run.

    Attributes:
        path: Where it is.
        format: What it is and how to read it.
        scope: Sub-run inside the run (`validation`), or rank (`rank1`), or empty.
        part: Key of the run in a file that holds several, or empty.
        inode: Its (device, inode).
        has_loss: Its first line names the train loss of a whole run.
        origin: How it came to be.
    """

    path: Path
    format: Format
    scope: str = ""
    part: str = ""
    inode: tuple[int, int] = field(default=(0, 0), compare=False)
    has_loss: bool = field(default=False, compare=False)
    origin: Origin = field(default=Origin(), compare=False)


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run.

    Attributes:
        name: What the user calls it.
        path: Its own directory or file, or of several runs in one file a name below it; stays
            the same for as long as the run is known.
        files: What to read, the better source first, files of one source oldest first.
        checkpoints: Steps and names of the checkpoints on disk, ascending.
    """

    name: str
    path: Path
    files: tuple[FoundFile, ...] = ()
    checkpoints: tuple[tuple[int, str], ...] = ()


def only_text(files: Iterable[FoundFile]) -> bool:
    """Whether files are nothing but text logs."""
    return all(file.format.rank >= Rank.TEXT for file in files)
