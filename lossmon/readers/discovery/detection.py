"""What each file was found to be: looked at once, and again only while it is too short to tell."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.tree import Entry
from lossmon.readers.format import HEAD, Format
from lossmon.readers.registry import claim_head, claim_named, head_after_first_line, read_head
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Kind, Split

GENERIC = frozenset({"csv", "tsv", "jsonl", "history", "keras", "fastai", "verl"})
"""Formats of files that the user names: the name says little of what else belongs to the run."""

GENERAL = 50
"""Rank from which a format takes nearly anything, so that its claim on half a line is worthless."""

FRESH = 2.0
"""Seconds for which an unfinished first line may still be completed."""

MOST_OPEN = 5_000
"""Files too short to tell that are looked at again at each scan, at most."""

DATABASES = (".db", ".sqlite", ".sqlite3", "/telemetry")
"""How the paths of databases end: their first bytes do not tell whether they can be read."""


class State(NamedTuple):
    """Size of a file, and seconds since the Unix epoch of its last change."""

    size: int
    modified: float


UNKNOWN = State(-1, 0.0)

MOST_LOOKS = 100
"""Looks, each after a change, at a database that has not the tables of any format: a tracker that
makes its own one after another needs fewer, and any other program's is left alone at last."""

Claiming = Callable[[Path, bytes], Format | None]

_KEYS = re.compile(rb'"([^"\\]{1,80})"\s*:')


@dataclass(frozen=True, slots=True)
class DetectedFile:
    """A file that a format took.

    Attributes:
        path: Where it is.
        format: What it is.
        inode: Its (device, inode).
        has_loss: Its first line names the train loss of a whole run.
        sub: What `add_scalars` calls this curve, if its directory is one of that function's.
    """

    path: str
    format: Format
    inode: tuple[int, int]
    has_loss: bool = False
    sub: str = ""


class Detector:
    """Remembers for each file what it is."""

    def __init__(self, own: Format | None = None) -> None:
        """Know nothing yet.

        Args:
            own: The user's own format, for text logs and for what no other format takes.
        """
        self._own = own
        self._taken: dict[tuple[int, int], DetectedFile] = {}
        self._final: set[tuple[int, int]] = set()
        self._open: dict[tuple[int, int], tuple[str, State]] = {}
        self._looks: Counter[tuple[int, int]] = Counter()
        self._notes: dict[str, str] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Files that could not be looked at, and why."""
        return tuple(self._notes.values())

    def of(self, entry: Entry, *, named: bool = False) -> DetectedFile | None:
        """What a file is, None while no format takes it.

        Args:
            entry: The file.
            named: The user named this very file, so that its name need not be a log's.
        """
        known = self._taken.get(entry.inode)
        if known is not None and known.path == entry.path:
            return known
        if entry.inode in self._final:
            return None
        state = _state(entry.path)
        if self._open.get(entry.inode) == (entry.path, state):
            return None
        try:
            return self._look(entry, state, claim_named if named else claim_head)
        except Exception as error:
            # Whatever a file holds, it may cost no more than itself.
            self._notes[entry.path] = f"{entry.path}: {internal_error(error)}; the file is skipped"
            self._final.add(entry.inode)
            return None

    def grew(self) -> bool:
        """Whether a file that was too short to tell has more to show."""
        waiting = list(self._open.values())[:MOST_OPEN]
        return any(_state(path) != state for path, state in waiting)

    def _look(self, entry: Entry, state: State, claim: Claiming) -> DetectedFile | None:
        path = Path(entry.path)
        head = read_head(path)
        if head is None and state.size:
            self._notes[entry.path] = f"{entry.path}: cannot be read"
        taken = self._format(path, head, claim) if head else None
        later: bytes | None = b""
        if taken is None and head and _is_one_long_line(path, head):
            later = head_after_first_line(path)
            taken = self._format(path, later, claim) if later else None
        premature = taken is not None and head and _is_premature(taken, head, state.modified)
        if taken is None or head is None or premature:
            whole = head is not None and len(head) >= HEAD and later is not None
            if whole and not self._may_become_one(entry, head or b""):
                self._final.add(entry.inode)
                self._open.pop(entry.inode, None)
            else:
                # A line that is being written is looked at again even if it never grows.
                self._open[entry.inode] = (entry.path, UNKNOWN if premature else state)
            return None
        self._open.pop(entry.inode, None)
        self._notes.pop(entry.path, None)
        known = DetectedFile(
            entry.path, taken, entry.inode, _has_loss(taken, head), _sub(path.parent.name, head)
        )
        self._taken[entry.inode] = known
        return known

    def _may_become_one(self, entry: Entry, head: bytes) -> bool:
        """Whether a database without the tables of any format may still get them."""
        if not _may_be_database(entry.path):
            return False
        from lossmon.readers.files.sqlite import MAGIC, fault

        if not head.startswith(MAGIC):
            return False
        if reason := fault(Path(entry.path)):
            self._notes[entry.path] = reason
        else:
            self._notes.pop(entry.path, None)
        self._looks[entry.inode] += 1
        return self._looks[entry.inode] < MOST_LOOKS

    def _format(self, path: Path, head: bytes, claim: Claiming) -> Format | None:
        taken = claim(path, head)
        own = self._own
        if own is None or not (taken is None or taken.source == own.source):
            return taken
        return own if own.claims(path, head) else taken


def _state(path: str) -> State:
    """What has to change for another look at a file to be worth while.

    The tables of a database may be made while its writer holds it, or stand in its write-ahead
    log before any of them is in the file itself, so that its size says little.
    """
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return State(0, 0.0)
    if not _may_be_database(path):
        return State(status.st_size, status.st_mtime)
    try:
        ahead = os.stat(f"{path}-wal", follow_symlinks=False)
    except OSError:
        return State(status.st_size, status.st_mtime)
    return State(status.st_size + ahead.st_size, max(status.st_mtime, ahead.st_mtime))


def _may_be_database(path: str) -> bool:
    return path.endswith(DATABASES)


def _is_one_long_line(path: Path, head: bytes) -> bool:
    """Whether a text goes on in its first line; a JSON document is nothing but one."""
    cut = len(head) >= HEAD and b"\n" not in head and b"\r" not in head
    return cut and b"\0" not in head and path.suffix.lower() != ".json"


def _is_premature(taken: Format, head: bytes, modified: float) -> bool:
    unfinished = len(head) < HEAD and b"\n" not in head and b"\r" not in head
    return taken.rank >= GENERAL and unfinished and time.time() - modified < FRESH


def _sub(directory: str, head: bytes) -> str:
    """What follows the tag in `<tag>_<name>`, as `add_scalars` names its directories."""
    for cut in range(len(directory) - 1, 0, -1):
        if directory[cut] != "_":
            continue
        tag = re.escape(os.fsencode(directory[:cut])).replace(b"_", b"[_/ ]")
        # In a summary value, field 1 is the tag: its number and type, its length, its text.
        if re.search(b"\n" + re.escape(bytes([cut % 128])) + tag, head):
            return directory[cut + 1 :]
    return ""


def _has_loss(taken: Format, head: bytes) -> bool:
    """Whether the first line of a table or of JSON lines names the train loss of a run."""
    if taken.source not in GENERIC:
        return False
    line = head.split(b"\n", 1)[0]
    names = _KEYS.findall(line) or re.split(rb"[,;\t]", line)
    texts = (name.decode("utf-8", "replace").strip().strip('"') for name in names[:200])
    means = (meaning(text, source=taken.source) for text in texts if text)
    return any(m.kind is Kind.LOSS and m.split is Split.TRAIN and not m.part for m in means)
