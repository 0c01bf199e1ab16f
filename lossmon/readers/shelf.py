"""What a file that holds several runs says about them."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from typing import Protocol
from zlib import crc32

from lossmon.frozen import dataclass
from lossmon.types import Reader

MOST_RUNS = 1000
"""Runs of one file that are followed, the newest ones: a database may hold years of work."""

LONGEST = 100
"""Characters of a key that a path may show."""

_UNFIT = re.compile(r"[\\/\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Part:
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


class Shelf(Protocol):
    """A file that holds several runs."""

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and why."""
        ...

    def parts(self) -> Sequence[Part]:
        """Return its runs: an overview before what it tells of, otherwise the newest first.

        Looks at the file if that changed; gives what was known before where it cannot be read.
        """
        ...

    def open(self, key: str) -> Reader:
        """Return a reader of one run that begins with its first point."""
        ...


def lead(parts: Sequence[Part]) -> Part | None:
    """The run that speaks for the file: an overview if there is one, else the newest run."""
    return next((part for part in parts if part.overview), parts[0] if parts else None)


def as_file_name(key: str) -> str:
    """The key as the last part of a path that is shown and never opened; unlike that of others."""
    name = _UNFIT.sub("-", key[:LONGEST])
    if name == key and name.strip(". "):
        return name
    return f"{name}-{crc32(key.encode(errors='replace')):08x}"
