"""Files elsewhere, as the mirror sees them, whatever brings them here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from lossmon.errors import LossmonError

MAX_DEPTH = 7
"""Directories below the given one that are looked into: as many as on this machine."""

MOST_FILES = 20_000
"""Files below one address that are looked at; one more is an address given by mistake."""


class RemoteError(LossmonError):
    """A place cannot be reached or a file cannot be read; says which and why."""


class RemoteFile(NamedTuple):
    """A regular file.

    Attributes:
        size: Bytes.
        modified: Seconds since the Unix epoch, 0 where it is not known.
        version: Changes with the contents where the store has such a thing (an ETag), or empty.
    """

    size: int
    modified: float
    version: str = ""


class Listing(NamedTuple):
    """What lies at a place.

    Attributes:
        files: By path relative to the place, with slashes; "" is the place itself.
        directories: Relative paths of the directories.
    """

    files: Mapping[str, RemoteFile]
    directories: tuple[str, ...] = ()


Enters = Callable[[str, str], bool]
"""Tells of a directory by the path above it and by its name."""

Follows = Callable[[str], bool]
"""Tells of a file by its relative path."""


class RemotePlace(Protocol):
    """A place elsewhere. One thread calls it.

    Attributes:
        name: How people write it: `trainbox:/data/run`.
    """

    @property
    def name(self) -> str: ...

    def look(self, enters: Enters, follows: Follows) -> Listing:
        """Look at what is there.

        Args:
            enters: Whether a directory is looked into.
            follows: Whether the size of a file has to be that of now; of others it may be older.

        Raises:
            RemoteError: The place cannot be reached.
        """
        ...

    def read(self, path: str, start: int, size: int) -> bytes:
        """Bytes of a file; fewer where it ends before.

        Raises:
            RemoteError: They cannot be read.
        """
        ...

    def disconnect(self) -> None:
        """Forget a connection that failed; the next call connects again."""
        ...

    def close(self) -> None:
        """Have what another thread reads fail, now and later; `disconnect` frees the rest."""
        ...


def is_safe(name: str) -> bool:
    """Whether a name from elsewhere is one part of a path and nothing more."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name
