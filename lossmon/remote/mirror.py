"""A directory on this machine that follows a place elsewhere as its files grow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.nodes.journal import DIRECTORY as NODES
from lossmon.readers.discovery.found import CHECKPOINT_NAME
from lossmon.readers.discovery.tree import IGNORED_DIRECTORIES
from lossmon.readers.registry import directories, has_write_ahead, is_interesting
from lossmon.readers.settings.beside import NAMES as SETTINGS
from lossmon.remote.files import Listing, RemoteError, RemoteFile, RemotePlace

CHUNK = 4 << 20
"""Bytes that are read at once."""

SEAM = 256
"""Bytes before the new ones that are read again: if they differ, the file was rewritten."""

LARGEST_FILE = 512 << 20
"""Bytes of one file that are mirrored; of a longer one nothing is."""

LARGEST = 4 << 30
"""Bytes that are mirrored in all."""

LARGEST_SETTINGS = 1 << 20
"""Bytes of a settings file that is mirrored."""

_GROWS = re.compile(
    r".*\.(?:log|txt|out|err|stdout|stderr|jsonl|ndjson|csv|tsv|wandb|v2)(?:\.\d+)?|"
    r".*tfevents.*|nohup.*",
    re.IGNORECASE,
)
"""Files that only grow; all others may change in the middle, and are copied again as a whole."""


@dataclass(slots=True)
class _Mirrored:
    """A file as it was mirrored last.

    Attributes:
        state: What the other side said of it.
        size: Bytes that are here.
    """

    state: RemoteFile
    size: int


class Mirror:
    """Keeps a directory like a place elsewhere, as far as runs are concerned.

    Logs are copied, and as they grow their new bytes; of what only tells the kind of a directory
    by its name, an empty file stands for it. Nothing is written outside of `root`.

    Args:
        root: An empty directory.

    Attributes:
        target: What is given to a monitor: the directory, or the file in it.
        notes: What was left out, and why.
        copied: Bytes that were read from the place.
    """

    def __init__(self, place: RemotePlace, root: Path) -> None:
        self._place, self._root = place, root
        self.target = root
        self.notes: tuple[str, ...] = ()
        self.copied = 0
        rules = directories()
        self._telling = re.compile(rf"{rules.telling.pattern}|{CHECKPOINT_NAME.pattern}")
        self._files: dict[str, _Mirrored] = {}
        self._stands: set[str] = set()

    def update(self) -> bool:
        """Bring the directory up to date; tell whether anything changed.

        Raises:
            RemoteError: The place cannot be reached; what is here stays.
        """
        listing = self._place.look(_is_entered, _is_followed)
        notes: list[str] = []
        changed = self._drop(listing)
        for path in listing.directories:
            self._local(path).mkdir(parents=True, exist_ok=True)
        total = 0
        for path, state in sorted(listing.files.items()):
            if not _is_followed(path) or _is_too_large(path, state):
                changed |= self._stand_in(path)
                continue
            total += state.size
            if state.size > LARGEST_FILE or total > LARGEST:
                notes.append(f"{self._place.name}/{path}: too large to be read from here")
                continue
            try:
                changed |= self._follow(path, state)
            except RemoteError as error:
                notes.append(str(error))
            except OSError as error:
                # How much of it is here is unknown: the next look copies it as a whole.
                self._files.pop(path, None)
                notes.append(f"{self._place.name}/{path}: not copied: {error.strerror or error}")
        self.notes = tuple(notes)
        return changed

    def _stand_in(self, path: str) -> bool:
        """Create an empty file where the name is all that matters."""
        if path in self._stands or not self._telling.match(path.rpartition("/")[2]):
            return False
        self._stands.add(path)
        local = self._local(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        local.touch()
        return True

    def _follow(self, path: str, state: RemoteFile) -> bool:
        """Bring one file up to date."""
        known = self._files.get(path)
        if known is not None and known.state == state:
            return False
        local = self._local(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        if not path:
            self.target = local
        if known is not None and known.size <= state.size and self._grew(path, local, known, state):
            size = known.size
        else:
            size = self._copy(path, local, state)
        self._files[path] = _Mirrored(state, size)
        if state.modified:
            os.utime(local, (state.modified, state.modified))
        return True

    def _grew(self, path: str, local: Path, known: _Mirrored, state: RemoteFile) -> bool:
        """Append what is new to a file that only grew; False if it was rewritten."""
        if not _GROWS.fullmatch(local.name):
            return False
        start = max(0, known.size - SEAM)
        first = self._read(path, start, min(CHUNK, state.size - start))
        with local.open("rb") as file:
            file.seek(start)
            seam = file.read()
        if not first.startswith(seam):
            return False
        with local.open("ab") as file:
            file.write(first[len(seam) :])
            known.size += len(first) - len(seam)
            for data in self._chunks(path, known.size, state.size):
                file.write(data)
                known.size += len(data)
        return True

    def _copy(self, path: str, local: Path, state: RemoteFile) -> int:
        """Copy a file as a whole; it changes for readers in one moment. Returns its size."""
        # A reader takes a file with another inode for another one.
        new = local.with_name(f".{local.name}.new")
        try:
            with new.open("wb") as file:
                for data in self._chunks(path, 0, state.size):
                    file.write(data)
                size = file.tell()
            os.replace(new, local)
        finally:
            new.unlink(missing_ok=True)
        return size

    def _chunks(self, path: str, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            data = self._read(path, start, min(CHUNK, end - start))
            if not data:
                return
            yield data
            start += len(data)

    def _read(self, path: str, start: int, size: int) -> bytes:
        data = self._place.read(path, start, size) if size else b""
        self.copied += len(data)
        return data

    def _drop(self, listing: Listing) -> bool:
        """Remove what is not there any more."""
        gone = [path for path in (*self._files, *self._stands) if path not in listing.files]
        for path in gone:
            self._files.pop(path, None)
            self._stands.discard(path)
            self._local(path).unlink(missing_ok=True)
        return bool(gone)

    def _local(self, path: str) -> Path:
        if not path:
            # The place is a file itself.
            return self._root / os.path.basename(self._place.name.rstrip("/"))
        return self._root / path


def _is_entered(above: str, name: str) -> bool:
    if name in (NODES, ".hydra"):
        return True
    return not name.startswith(".") and name not in IGNORED_DIRECTORIES


def _is_followed(path: str) -> bool:
    """Whether a file may tell something of a run."""
    directory, _, name = path.rpartition("/")
    if not path or name in SETTINGS:
        return True
    if directory.rpartition("/")[2] == NODES:
        return name.endswith(".jsonl")
    log = name.removesuffix("-wal")
    return is_interesting(directory, name) or (log != name and has_write_ahead(log))


def _is_too_large(path: str, state: RemoteFile) -> bool:
    """Whether a file named like a settings file holds more than settings."""
    return path.rpartition("/")[2] in SETTINGS and state.size > LARGEST_SETTINGS
