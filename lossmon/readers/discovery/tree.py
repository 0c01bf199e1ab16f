"""Directory tree that is listed once, and again only where it changed."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass

MAX_DEPTH = 6
"""Directories below the given one: `output/logs/<run id>/attempt_0/0/stdout.log` needs five."""

MOST_DIRECTORIES = 20_000
"""Directories that are listed at most: a home directory given by mistake must not hang us."""

LEAST_LISTED = 20
"""Directories that are listed at a time even after the deadline."""

SETTLED = 2.0
"""Seconds after which the time stamp of a directory tells every change: coarse file systems
(FAT, some NFS servers) round it to two seconds."""

IGNORED_DIRECTORIES = frozenset(
    {
        "__pycache__",
        "node_modules",
        "site-packages",
        "dist-packages",
        "venv",
        "profiler",
        "artifacts",
        "media",
        "conda-meta",
    }
)
"""Directories that never hold metrics, or hold copies only."""


class ListedFile(NamedTuple):
    """A regular file whose name may be of interest.

    Attributes:
        path: Where it is.
        inode: Its (device, inode): the same file under two names is one.
    """

    path: str
    inode: tuple[int, int]


@dataclass(slots=True)
class ListedDirectory:
    """What one directory holds.

    Attributes:
        path: Where it is.
        depth: Directories between it and the given one.
        modified_ns: Its time stamp when it was listed.
        listed: Seconds since the Unix epoch of that listing.
        children: Paths of the directories in it.
        files: Files of interest.
        marks: Names in it that tell what sort of directory it is.
        seen: Regular files in it, of interest or not.
        example: Name of one that is not, or empty.
    """

    path: str
    depth: int
    modified_ns: int = -1
    listed: float = 0.0
    children: tuple[str, ...] = ()
    files: tuple[ListedFile, ...] = ()
    marks: tuple[str, ...] = ()
    seen: int = 0
    example: str = ""

    @property
    def contents(self) -> tuple[tuple[str, ...], tuple[ListedFile, ...], tuple[str, ...], int]:
        """All that a scan looks at; equal contents give equal runs."""
        return self.children, self.files, self.marks, self.seen


class Tree:
    """The directories below one path, kept up to date by looking at their time stamps.

    Symbolic links are not followed. Directories that cannot be read, and FIFOs, sockets and
    devices with an interesting name, are skipped with a note.

    Args:
        interesting: Whether a file is of interest, given its directory and its name.
        telling: Pattern of names that tell what sort of directory they stand in.
        unlocking: Names of files whose appearance can make files below their directory
            interesting.
        hidden: Names of hidden directories that are searched.
    """

    def __init__(
        self,
        root: Path,
        interesting: Callable[[str, str], bool],
        telling: str,
        unlocking: frozenset[str] = frozenset(),
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self._root = str(root)
        self._interesting = interesting
        self._telling = re.compile(telling)
        self._unlocking = unlocking
        self._hidden = hidden
        self._directories: dict[str, ListedDirectory] = {}
        self._unlisted: list[ListedDirectory] = []
        self._notes: dict[str, str] = {}
        self._full = False
        if (why := UNREADABLE.get(root.name)) is not None:
            self._notes[self._root] = f"{self._root}: {why}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was skipped, and why."""
        full = (f"stopped after {MOST_DIRECTORIES:,} directories in {self._root}",)
        return (*self._notes.values(), *(full if self._full else ()))

    def directories(self) -> Iterator[ListedDirectory]:
        """Every directory, a parent before its children, names in order."""
        waiting = [self._root]
        while waiting:
            known = self._directories.get(waiting.pop())
            if known is not None:
                yield known
                waiting.extend(reversed(known.children))

    @property
    def is_complete(self) -> bool:
        """Whether the first listing has come to its end."""
        return not self._unlisted

    @property
    def seen(self) -> int:
        """Regular files in all directories that were listed."""
        return sum(directory.seen for directory in self._directories.values())

    def refresh(self, deadline: float = math.inf) -> bool:
        """Look again; returns whether anything appeared or went.

        Args:
            deadline: `time.monotonic()` at which the first listing stops, to go on the next time.
        """
        if not self._directories and not self._unlisted:
            self._unlisted = [ListedDirectory(self._root, 0)]
        if self._unlisted:
            self._list(self._unlisted, deadline)
            return True
        changed = False
        for directory in list(self._directories.values()):
            if directory.path not in self._directories:
                continue
            before = directory.contents
            if self._is_stale(directory):
                self._list([directory])
            known = self._directories.get(directory.path)
            changed |= known is None or known.contents != before
            if self._unlocking & set(directory.marks) - set(before[2]):
                self._relist_below(directory.path)
        return changed

    def _relist_below(self, path: str) -> None:
        for known in self._directories.values():
            if known.path.startswith(path + os.sep):
                known.modified_ns = -1

    def _is_stale(self, directory: ListedDirectory) -> bool:
        try:
            modified = os.stat(directory.path, follow_symlinks=False).st_mtime_ns
        except OSError:
            self._forget(directory)
            return False
        # A change in the same tick of a coarse clock leaves the time stamp as it was.
        unsettled = directory.listed - directory.modified_ns / 1e9 < SETTLED
        return modified != directory.modified_ns or (
            unsettled and time.time() - directory.listed > SETTLED
        )

    def _forget(self, directory: ListedDirectory) -> None:
        if directory.path != self._root:
            self._directories.pop(directory.path, None)
        else:
            self._directories.clear()

    def _list(self, waiting: list[ListedDirectory], deadline: float = math.inf) -> None:
        """List directories and those below them; what the deadline leaves stays in `waiting`."""
        listed = 0
        while waiting and (listed < LEAST_LISTED or time.monotonic() < deadline):
            listed += 1
            known = waiting.pop()
            if not self._list_one(known):
                continue
            before = self._directories
            for child in reversed(known.children):
                if child not in before and known.depth < MAX_DEPTH:
                    waiting.append(ListedDirectory(child, known.depth + 1))

    def _list_one(self, directory: ListedDirectory) -> bool:
        if directory.path not in self._directories and len(self._directories) >= MOST_DIRECTORIES:
            self._full = True
            return False
        try:
            status = os.stat(directory.path, follow_symlinks=False)
            with os.scandir(directory.path) as entries:
                self._fill(directory, status.st_dev, list(entries))
        except FileNotFoundError:
            return False
        except OSError as error:
            self._notes[directory.path] = f"{directory.path}: {error.strerror}"
            return False
        except BaseException as error:
            why = internal_error(error)
            self._notes[directory.path] = f"{directory.path}: {why}; the directory is skipped"
            directory.children, directory.files, directory.marks = (), (), ()
        else:
            self._notes.pop(directory.path, None)
        directory.modified_ns, directory.listed = status.st_mtime_ns, time.time()
        self._directories[directory.path] = directory
        return True

    def _fill(
        self, directory: ListedDirectory, device: int, entries: list[os.DirEntry[str]]
    ) -> None:
        children: list[str] = []
        files: list[ListedFile] = []
        marks: list[str] = []
        seen, example = 0, ""
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if self._telling.match(name):
                    marks.append(name)
                if (why := UNREADABLE.get(name)) is not None:
                    self._notes[entry.path] = f"{entry.path}: {why}"
                is_visible = not name.startswith(".") or name in self._hidden
                if is_visible and name not in IGNORED_DIRECTORIES:
                    children.append(entry.path)
                continue
            seen += 1
            if self._telling.match(name):
                marks.append(name)
            if not self._interesting(directory.path, name):
                example = example or name
            elif self._is_regular(entry):
                files.append(ListedFile(entry.path, (device, entry.inode())))
        directory.children = tuple(sorted(children))
        directory.files = tuple(sorted(files, key=lambda file: file.path))
        directory.marks = tuple(sorted(marks))
        directory.seen, directory.example = seen, example

    def _is_regular(self, entry: os.DirEntry[str]) -> bool:
        try:
            if entry.is_symlink():
                return False
            if entry.is_file(follow_symlinks=False):
                return True
        except OSError:
            # Gone between the listing and the look: checkpoints come and go.
            return False
        self._notes[entry.path] = f"{entry.path}: not a regular file, left alone"
        return False


_INSTEAD = "give the text log of the training, or let it log to TensorBoard or CSV as well"

UNREADABLE = {
    ".aim": f"Aim's own database (RocksDB), which only Aim can read; {_INSTEAD}",
    ".neptune": f"Neptune's offline store, which only Neptune can read; {_INSTEAD}",
}
"""Name of a directory that holds metrics in a form that is not read → what to say about it."""
