"""Follower of one file of a run: reads on where it grew, and survives every error of its reader."""

from __future__ import annotations

import os
import stat
from dataclasses import field, replace
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossmon.errors import ReadError, internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.monitor.runs.run_state import updated_facts
from lossmon.readers.discovery.found import FoundFile
from lossmon.types import Axis, Batch, Facts, Points, Reader

FRESH_COPY = 3600.0
"""Largest difference in seconds between the modification time of a file and its newest record. A
file with a larger one was copied, and its modification time says nothing about the run."""


LAST_LOOK = 3.0
"""Seconds after the last change at which a file is read once more: some readers accept a last line
without a line end only when nothing has followed it for a while."""

OUTRUN = 60.0
"""Seconds by which one file may be written later than another about the same end of the run."""

Identity = tuple[int, int]
"""Device and inode, which a rename does not change."""


class FileStamp(NamedTuple):
    """Result of `stat`; equal stamps mean that there is nothing new to read."""

    device: int
    inode: int
    size: int
    modified_ns: int
    write_ahead: tuple[int, int] = (0, 0)
    """Size and time of the write-ahead log of a database."""

    @property
    def identity(self) -> Identity:
        """Device and inode."""
        return self.device, self.inode


def identity(path: Path) -> Identity | None:
    """Device and inode of a regular file; None where there is none."""
    state = file_stamp(path)
    return None if state is None else state.identity


def file_stamp(path: Path | str, *, write_ahead: bool = False) -> FileStamp | None:
    """Stamp of a regular file, which is not opened; None where there is none.

    Args:
        write_ahead: It is a database, whose write-ahead log may grow while it does not change.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    ahead = _write_ahead(path) if write_ahead else (0, 0)
    return FileStamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, ahead)


def _write_ahead(path: Path | str) -> tuple[int, int]:
    try:
        status = os.stat(f"{path}-wal")
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


class FileStatus(Enum):
    """Whether a file can be read."""

    ACTIVE = "active"
    DENIED = "denied"
    """The system refused to read it, which may change without a change of the file."""
    DEAD = "dead"
    """Its reader failed; only a file that takes its place is read again, or a changed database."""


@dataclass(slots=True)
class FollowedFile:
    """A file of a run and the position in it.

    Attributes:
        number: Number among the files of the run; orders the records of successive files.
        found: The file and its format.
        status: Whether it can be read.
        reader: None before the first read and after a failure.
        seen: Stamp at the last read, None before the first.
        pending: Bytes known to be unread.
        caught_up: The end was reached once: what is read from then on is live.
        facts: Facts that the file states about the run.
        error: Why it is not read, or empty.
        grew_at: Seconds since the Unix epoch at which it was last seen to grow, None before.
        has_points: It held points.
        newest: Largest step of the newest points, -1 before there are any.
    """

    number: int
    found: FoundFile
    status: FileStatus = FileStatus.ACTIVE
    reader: Reader | None = None
    seen: FileStamp | None = None
    pending: int = 0
    caught_up: bool = False
    facts: Facts = field(default_factory=Facts)
    error: str = ""
    grew_at: float | None = None
    has_points: bool = False
    newest: int = -1
    _last_look: float | None = None
    _path: str = ""

    def read(self, deadline: float, now: float) -> Batch | None:
        """Read on.

        Args:
            deadline: `time.monotonic()` value after which to return.
            now: Seconds since the Unix epoch.

        Returns:
            What is new, None where nothing is.
        """
        self._path = self._path or str(self.found.path)
        state = file_stamp(self._path, write_ahead=self.found.format.write_ahead)
        if state is None:
            # The points of a vanished file stay; the next file of its name starts over.
            self.caught_up = True
            return None
        grew = state != self.seen
        if not self._is_due(state, grew, now):
            return None
        restarted = self.reader is None and self.seen is not None
        live, self.seen = self.caught_up, state
        self._last_look = now + LAST_LOOK if grew else None
        try:
            if self.reader is None:
                self.reader = self.found.format.open(self.found.path)
            batch = self.reader.read(deadline)
        except ReadError as error:
            cause = error.__cause__
            return self._deny(cause) if isinstance(cause, OSError) else self._die(str(error))
        except OSError as error:
            return self._deny(error)
        except BaseException as error:
            return self.fail(error)
        recovered = self.status is FileStatus.DENIED
        self.status, self.error = FileStatus.ACTIVE, ""
        if restarted:
            batch = replace(batch, replaced=True)
        if self.found.part:
            # The file grew, but perhaps by the points of another run.
            grew = grew and batch != _NOTHING
        if batch == _NOTHING and not (grew or recovered or self.pending):
            self.caught_up = True
            return None
        return self._accept(batch, live=live, grew=grew, now=now)

    def _is_due(self, state: FileStamp, grew: bool, now: float) -> bool:
        """Whether there may be anything to read."""
        if self.status is FileStatus.DEAD:
            # A database is not appended to: it may be whole once the last byte is copied.
            is_rewritten = grew and self.found.format.write_ahead
            return self.seen is None or is_rewritten or not _continues(self.seen, state)
        late = self._last_look is not None and now >= self._last_look
        return grew or late or self.pending > 0 or self.status is FileStatus.DENIED

    def _accept(self, batch: Batch, *, live: bool, grew: bool, now: float) -> Batch:
        """Record the position and the facts; live points without a time get that of arrival."""
        self.pending = batch.pending
        self.has_points |= bool(batch.points)
        steps = [int(p.steps.max()) for p in batch.points if p.axis is Axis.STEP and len(p)]
        self.newest = max(steps, default=self.newest)
        if not batch.pending:
            self.caught_up = True
        if live:
            if grew and (batch.points or not self.found.part):
                self.grew_at = now
            batch = _timed(batch, now)
        self._learn(batch)
        return batch

    def _deny(self, reason: OSError) -> Batch | None:
        """Keep the position for when the file may be read again."""
        before, self.status = self.error, FileStatus.DENIED
        self.pending, self.caught_up = 0, True
        self.error = f"{self.found.path.name}: {reason.strerror or reason}"
        return None if self.error == before else Batch()

    def fail(self, error: BaseException) -> Batch:
        """Stop reading this file because of an error in lossmon itself."""
        return self._die(f"{internal_error(error)}; the file is read no further")

    def _die(self, reason: str) -> Batch:
        self.status, self.reader, self.pending, self.caught_up = FileStatus.DEAD, None, 0, True
        path = self.found.path
        self.error = reason if reason.startswith(f"{path}: ") else f"{path.name}: {reason}"
        return Batch()

    def _learn(self, batch: Batch) -> None:
        if batch.replaced:
            self.facts = Facts()
        if self.facts.finished and any(len(points) for points in batch.points):
            # Training continued after the end mark: the run was resumed.
            self.facts = replace(self.facts, finished=False)
        for fact in batch.facts:
            self.facts = updated_facts(self.facts, fact)

    def is_outrun_by(self, other: FollowedFile) -> bool:
        """Whether another file continued long after this one was written for the last time."""
        if self.seen is None or other.seen is None or not 0 <= self.newest < other.newest:
            return False
        return other.seen.modified_ns - self.seen.modified_ns > OUTRUN * 1e9

    def last_activity(self, newest_wall: float) -> float | None:
        """Seconds since the Unix epoch of the last sign of life in this file.

        Args:
            newest_wall: Newest time among the records, NaN where they have none.
        """
        if self.grew_at is not None:
            return self.grew_at
        if self.seen is None:
            return None
        modified = self.seen.modified_ns / 1e9
        if self.found.part:
            # Other runs write to the same file.
            ended = self.facts.finished or self.facts.failure
            began = self.facts.started
            if np.isfinite(newest_wall):
                return newest_wall
            if ended and began is not None and np.isfinite(began):
                return began
        if np.isfinite(newest_wall) and abs(modified - newest_wall) > FRESH_COPY:
            return newest_wall
        return modified


def _continues(old: FileStamp, new: FileStamp) -> bool:
    """Whether a file may still be the one whose reader failed."""
    return old.identity == new.identity and new.size >= old.size


def _timed(batch: Batch, now: float) -> Batch:
    """Give points without a time the time of their arrival."""
    if all(np.isfinite(points.wall_times).all() for points in batch.points):
        return batch
    return replace(batch, points=tuple(_with_time(points, now) for points in batch.points))


def _with_time(points: Points, now: float) -> Points:
    known = np.isfinite(points.wall_times)
    if known.all():
        return points
    return replace(points, wall_times=np.where(known, points.wall_times, now))


_NOTHING = Batch()
