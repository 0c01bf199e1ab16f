"""What a reader module says about the files it can read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol
from zlib import crc32

from lossmon.fast_dataclass import dataclass
from lossmon.types import Reader

HEAD = 4096
"""Bytes of a file that `Format.claims` may look at: one disk block, enough for any header."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file, how to recognise it and how to read it.

    Attributes:
        source: Name of the family as the header prints it: `tensorboard`.
        title: The same for people: `TensorBoard event files`.
        names: Patterns on the lower-cased file name; a file that fits none is not opened.
        claims: Whether a file is of this format, given its path and its first `HEAD` bytes.
            Called only after `names` fitted; an empty head means the file is empty so far.
        open: Makes a reader that starts at the beginning of the file.
        rank: Preference of its values when several sources hold the same quantity; lower is
            better. Full precision with explicit steps ranks before rounded text.
        shelf: Opens the file as one that may hold several runs, None where it holds one; then
            `open` gives the run that speaks for it.
    """

    source: str
    title: str
    names: tuple[str, ...]
    claims: Callable[[Path, bytes], bool]
    open: Callable[[Path], Reader]
    rank: int
    shelf: Callable[[Path], RunContainer] | None = None

    def fits(self, path: Path) -> bool:
        """Whether the file name alone makes this format possible."""
        name = path.name.lower()
        return any(fnmatch(name, pattern) for pattern in self.names)


MOST_RUNS = 1000
"""Runs of one file that are followed, the newest ones: a database may hold years of work."""

LONGEST = 100
"""Characters of a key that a path may show."""

_UNFIT = re.compile(r"[\\/\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class ContainedRun:
    """One run of a file that holds several.

    Attributes:
        key: Tells it from the others for as long as the file exists.
        name: What the framework calls it; may be empty, or that of another one too.
        started: Seconds since the Unix epoch, NaN where it is not known.
        overview: It tells of others, as a study does of its trials.
        mark: Another value each time that there is something new to read of it.
    """

    key: str
    name: str = ""
    started: float = math.nan
    overview: bool = False
    mark: Hashable = None


class RunContainer(Protocol):
    """A file that holds several runs."""

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and why."""
        ...

    def parts(self) -> Sequence[ContainedRun]:
        """Return its runs: an overview before what it tells of, otherwise the newest first.

        Looks at the file if that changed; gives what was known before where it cannot be read.
        """
        ...

    def open(self, key: str) -> Reader:
        """Return a reader of one run that begins with its first point."""
        ...


def lead(parts: Sequence[ContainedRun]) -> ContainedRun | None:
    """The run that speaks for the file: an overview if there is one, else the newest run."""
    return next((part for part in parts if part.overview), parts[0] if parts else None)


def as_file_name(key: str) -> str:
    """The key as the last part of a path that is shown and never opened; unlike that of others."""
    name = _UNFIT.sub("-", key[:LONGEST])
    if name == key and name.strip(". "):
        return name
    return f"{name}-{crc32(key.encode(errors='replace')):08x}"
