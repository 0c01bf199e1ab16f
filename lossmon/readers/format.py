"""What a reader module says about the files it can read."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from lossmon.frozen import dataclass
from lossmon.readers.shelf import Shelf
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
    shelf: Callable[[Path], Shelf] | None = None

    def fits(self, path: Path) -> bool:
        """Whether the file name alone makes this format possible."""
        name = path.name.lower()
        return any(fnmatch(name, pattern) for pattern in self.names)
