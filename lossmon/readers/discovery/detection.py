"""Detector of file formats: each file is looked at once, and again only while it is too short."""

from __future__ import annotations

import math
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lossmon.errors import internal_error
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.discovery.tree import ListedFile
from lossmon.readers.files.head import head_after_first_line, read_head
from lossmon.readers.format import HEAD, Format, Origin, Rank
from lossmon.readers.registry import detect_head, detect_named, has_write_ahead
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Kind, Split

FRESH = 2.0
"""Seconds for which an unfinished first line may still be completed."""

MOST_UNDECIDED = 5_000
"""Files too short for a decision that are looked at again at each scan, at most."""

MOST_LOOKS = 100
"""Looks, each after a change, at a database that has not the tables of any format: a tracker that
creates its tables one after another needs fewer, and any other program's is left alone at last."""


class DetectionState(NamedTuple):
    """Size of a file, and seconds since the Unix epoch of its last change."""

    size: int
    modified: float


UNKNOWN = DetectionState(-1, 0.0)

Detect = Callable[[Path, bytes], Format | None]

_KEYS = lazy_pattern(rb'"([^"\\]{1,80})"\s*:')


LEAST_OPENED = 20
"""Files that a scan opens even after its deadline: a small tree is found by one scan."""


class OutOfTime(Exception):
    """The deadline has passed; what was decided is remembered."""


class Detector:
    """Remembers the format of each file."""

    def __init__(self, own: Format | None = None) -> None:
        """Know nothing yet.

        Args:
            own: The user's own format, for text logs and for what no other format takes.
        """
        self._own = own
        self._deadline = math.inf
        self._opened = 0
        self._found: dict[tuple[int, int], FoundFile] = {}
        self._final: set[tuple[int, int]] = set()
        self._undecided: dict[tuple[int, int], tuple[str, DetectionState]] = {}
        self._looks: Counter[tuple[int, int]] = Counter()
        self._notes: dict[str, str] = {}
        self._lookalikes = Lookalikes()

    @property
    def is_complete(self) -> bool:
        """Whether no file is put off because those named alike hold no metrics."""
        return not self._lookalikes

    @property
    def notes(self) -> tuple[str, ...]:
        """Files that could not be looked at, and why."""
        return tuple(self._notes.values())

    def start(self, deadline: float) -> None:
        """Begin a scan.

        Args:
            deadline: `time.monotonic()` after which few further files are opened.
        """
        self._deadline, self._opened = deadline, 0

    def find(self, file: ListedFile, *, named: bool = False) -> FoundFile | None:
        """Return a file with its format, None while no format takes it.

        Args:
            named: The user named this very file, so its name need not be that of a log.

        Raises:
            OutOfTime: The file would have to be opened, but the deadline has passed.
        """
        known = self._found.get(file.inode)
        if known is not None and str(known.path) == file.path:
            return known
        if file.inode in self._final:
            return None
        undecided = self._undecided.get(file.inode)
        if undecided is None and not named and self._lookalikes.waits(file):
            return None
        state = _state(file.path)
        if undecided == (file.path, state):
            return None
        if self._opened >= LEAST_OPENED and time.monotonic() > self._deadline:
            raise OutOfTime
        self._opened += 1
        found = self._looked(file, state, detect_named if named else detect_head)
        if found is None and undecided is None and state.size:
            self._lookalikes.refuse(file)
        return found

    def look_at_lookalikes(self, deadline: float) -> bool:
        """Look at some of the files that were put off.

        Args:
            deadline: `time.monotonic()` after which few further files are opened.

        Returns:
            Whether one of them was recognised, or none is left.
        """
        opened, before = 0, len(self._found)
        while self._lookalikes and (opened < LEAST_OPENED or time.monotonic() < deadline):
            file, opened = self._lookalikes.pop(), opened + 1
            self._looked(file, _state(file.path), detect_head)
        return len(self._found) > before or self.is_complete

    def _looked(self, file: ListedFile, state: DetectionState, detect: Detect) -> FoundFile | None:
        """Look at a file; whatever it holds, it must not cost more than itself."""
        try:
            found = self._look(file, state, detect)
        except BaseException as error:
            self._notes[file.path] = f"{file.path}: {internal_error(error)}; the file is skipped"
            self._final.add(file.inode)
            found = None
        if found is not None:
            self._lookalikes.recognise(file)
        return found

    def changed(self) -> bool:
        """Whether a file that was too short for a decision has changed."""
        undecided = list(self._undecided.values())[:MOST_UNDECIDED]
        return any(_state(path) != state for path, state in undecided)

    def _look(self, file: ListedFile, state: DetectionState, detect: Detect) -> FoundFile | None:
        path = Path(file.path)
        head = read_head(path)
        if head is None and state.size:
            self._notes[file.path] = f"{file.path}: cannot be read"
        found = self._format(path, head, detect) if head else None
        later: bytes | None = b""
        if found is None and head and _is_one_long_line(path, head):
            later = head_after_first_line(path)
            found = self._format(path, later, detect) if later else None
        premature = found is not None and head and _is_premature(path, found, head, state.modified)
        if found is None or head is None or premature:
            whole = head is not None and len(head) >= HEAD and later is not None
            # Contents follow where a file was made longer first.
            whole = whole and bool((head or b"").strip(b"\0"))
            if not (head and self._may_get_tables(file, head)) and whole:
                self._final.add(file.inode)
                self._undecided.pop(file.inode, None)
            else:
                # A line that is being written is looked at again even if it never grows.
                self._undecided[file.inode] = (file.path, UNKNOWN if premature else state)
            return None
        self._undecided.pop(file.inode, None)
        self._notes.pop(file.path, None)
        known = FoundFile(
            path,
            found,
            inode=file.inode,
            has_loss=_has_loss(found, head),
            origin=Origin() if found.origin is None else found.origin(path, head),
        )
        self._found[file.inode] = known
        return known

    def _may_get_tables(self, file: ListedFile, head: bytes) -> bool:
        """Whether a database without the tables of any format may still get them."""
        if not has_write_ahead(os.path.basename(file.path)):
            return False
        from lossmon.readers.files.sqlite import MAGIC, fault

        if not head.startswith(MAGIC):
            return False
        if reason := fault(Path(file.path)):
            self._notes[file.path] = reason
        else:
            self._notes.pop(file.path, None)
        self._looks[file.inode] += 1
        return self._looks[file.inode] < MOST_LOOKS

    def _format(self, path: Path, head: bytes, detect: Detect) -> Format | None:
        found = detect(path, head)
        own = self._own
        if own is None or not (found is None or found.source == own.source):
            return found
        return own if own.claims(path, head) else found


def _state(path: str) -> DetectionState:
    """What has to change for another look at a file to be worthwhile.

    The tables of a database may be created while its writer holds it, or may stand in its
    write-ahead log before any of them is in the file itself, so its size alone says little.
    """
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return DetectionState(0, 0.0)
    if not has_write_ahead(os.path.basename(path)):
        return DetectionState(status.st_size, status.st_mtime)
    try:
        ahead = os.stat(f"{path}-wal", follow_symlinks=False)
    except OSError:
        return DetectionState(status.st_size, status.st_mtime)
    return DetectionState(status.st_size + ahead.st_size, max(status.st_mtime, ahead.st_mtime))


def _is_one_long_line(path: Path, head: bytes) -> bool:
    """Whether a text goes on in its first line; a JSON document consists of one."""
    cut = len(head) >= HEAD and b"\n" not in head and b"\r" not in head
    return cut and b"\0" not in head and path.suffix.lower() != ".json"


def _is_premature(path: Path, found: Format, head: bytes, modified: float) -> bool:
    """Whether half a line may look like another format than the whole one."""
    unfinished = len(head) < HEAD and b"\n" not in head and b"\r" not in head
    if found.rank < Rank.ROUNDED or not unfinished or time.time() - modified >= FRESH:
        return False
    return path.suffix.lower() != ".json" or not _is_document(head)


def _is_document(head: bytes) -> bool:
    """Whether a text is a whole JSON document, which ends without a line break as a rule."""
    import json

    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, (dict, list))


def _has_loss(found: Format, head: bytes) -> bool:
    """Whether the beginning of a table or of JSON lines names the train loss of a run."""
    if not found.user_named:
        return False
    line = head.split(b"\n", 1)[0]
    # A table of named values has the name in its first row.
    names = _KEYS.findall(line) or re.split(rb"[,;\t\n]", b"\n".join(head.split(b"\n", 2)[:2]))
    texts = (name.decode("utf-8", "replace").strip().strip('"') for name in names[:200])
    means = (meaning(text, source=found.source) for text in texts if text)
    return any(m.kind is Kind.LOSS and m.split is Split.TRAIN and not m.part for m in means)


ENOUGH = 500
"""Files of one sort of name without metrics, from which on the others wait: a data set of 100,000
texts beside a log or in directories of its own must not hide it."""

MANY = 5_000
"""The same of all names with one ending: the texts of a data set may be named by their titles."""

_COUNTED = re.compile(r"[0-9a-f]{8,}|[0-9]+")
"""What tells one name from the next: a number, a hash or a part of a UUID."""


class Lookalikes:
    """Puts files off while those named alike turn out to hold no metrics.

    A sort is a name without what is counted in it; a sort with metrics never waits.
    """

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        """Files by their sort, and by the ending of their names."""
        self._known: set[str] = set()
        self._waiting: dict[tuple[int, int], ListedFile] = {}
        self._alike: dict[str, list[tuple[int, int]]] = {}
        """Files that were put off, by their sort."""

    def __len__(self) -> int:
        return len(self._waiting)

    def waits(self, file: ListedFile) -> bool:
        """Whether a file that was not looked at yet is put off."""
        if file.inode in self._waiting:
            return True
        sort, ending = _sort(file)
        few = self._refused[sort] < ENOUGH and self._refused[ending] < MANY
        if few or sort in self._known:
            return False
        self._waiting[file.inode] = file
        self._alike.setdefault(sort, []).append(file.inode)
        return True

    def pop(self) -> ListedFile:
        """Return the file that was put off last, which is the newest of those that are counted."""
        return self._waiting.popitem()[1]

    def refuse(self, file: ListedFile) -> None:
        """Note that a file holds no metrics."""
        self._refused.update(_sort(file))

    def recognise(self, file: ListedFile) -> None:
        """Note that a file holds metrics: no other one of its sort waits any longer."""
        sort, _ = _sort(file)
        self._known.add(sort)
        for inode in self._alike.pop(sort, ()):
            self._waiting.pop(inode, None)


def _sort(file: ListedFile) -> tuple[str, str]:
    """The sort of a file, and the ending of its name."""
    name = os.path.basename(file.path).lower()
    return _COUNTED.sub("0", name), os.path.splitext(name)[1]
