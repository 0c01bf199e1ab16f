"""One file of a run, followed: what its reader said last and whether there is more."""

from __future__ import annotations

import os
import stat
from dataclasses import field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossmon.errors import ReadError, internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.monitor.run_state import updated_facts
from lossmon.readers.discovery.discovery import FoundFile
from lossmon.types import Axis, Batch, Facts, Points, Reader

FRESH_COPY = 3600.0
"""Seconds by which a file may be younger than its newest record and still count as written then.
Beyond that it was copied, and its modification time says nothing about the run."""


LAST_LOOK = 3.0
"""Seconds after the last change at which a file is read once more: a last line without its line
end is taken by some readers only when nothing has followed it for a while."""

OUTRUN = 60.0
"""Seconds by which one file may be written later than another about the same end of the run."""

DATABASES = (".db", ".sqlite", ".sqlite3", "/telemetry")
"""Ends of the paths of files beside which a write-ahead log may grow while they stand still."""


Identity = tuple[int, int]
"""Device and inode: the same for a file that was renamed."""


class FileState(NamedTuple):
    """What `stat` says; equal states mean that there is nothing new to read."""

    device: int
    inode: int
    size: int
    modified_ns: int
    write_ahead: tuple[int, int] = (0, 0)
    """Size and time of the write-ahead log of a database."""

    @property
    def identity(self) -> Identity:
        """What a new name does not change."""
        return self.device, self.inode


def identity(path: Path) -> Identity | None:
    """Device and inode of a regular file, None where there is none."""
    state = file_state(path)
    return None if state is None else state.identity


def file_state(path: Path | str) -> FileState | None:
    """Look at a file without opening it; None where it is not there or not a regular file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    ahead = _write_ahead(str(path))
    return FileState(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, ahead)


def _write_ahead(path: str) -> tuple[int, int]:
    if not path.endswith(DATABASES):
        return (0, 0)
    try:
        status = os.stat(f"{path}-wal")
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


@dataclass(slots=True)
class FollowedFile:
    """A file and how far it was followed.

    Attributes:
        number: Place among the files of the run; orders the records of successive files.
        found: The file and its format.
        reader: None after the file turned out corrupt.
        seen: State at the last read, None before the first.
        pending: Bytes known to be unread.
        caught_up: The end was reached once: what comes from now on comes live.
        facts: What the file says about the run.
        error: Why it is read no further, or empty.
        grew_at: Seconds since the Unix epoch at which it was seen to grow, None before.
        told: It held points.
        newest: Largest step of the newest points, -1 before there are any.
    """

    number: int
    found: FoundFile
    reader: Reader | None = None
    seen: FileState | None = None
    pending: int = 0
    caught_up: bool = False
    facts: Facts = field(default_factory=Facts)
    error: str = ""
    grew_at: float | None = None
    told: bool = False
    newest: int = -1
    _last_look: float | None = None
    _path: str = ""
    _denied: bool = False
    """The system did not let it be read; that may change without a change of the file."""

    def read(self, deadline: float, now: float) -> Batch | None:
        """Read on if there is anything new; None where there is not."""
        self._path = self._path or str(self.found.path)
        state = file_state(self._path)
        if state is None:
            # A vanished file is no news: what it said stays; the next of its name starts anew.
            self.caught_up = True
            return None
        grew = state != self.seen
        if not (grew or self.pending or self._is_due(now) or self._denied):
            return None
        anew = self.reader is None and self.seen is not None
        if self.reader is None:
            if self.seen is not None and _continues(self.seen, state):
                return None
            try:
                self.reader, self.error = self.found.format.open(self.found.path), ""
            except Exception as error:
                self.seen = state
                return self.fail(error)
        live, self.seen = self.caught_up, state
        self._last_look = now + LAST_LOOK if grew else None
        try:
            batch = self.reader.read(deadline)
        except ReadError as error:
            if isinstance(error.__cause__, OSError):
                return self._wait(error.__cause__)
            return self._stop(str(error))
        except OSError as error:
            return self._wait(error)
        except Exception as error:
            return self.fail(error)
        mended = self._denied
        if mended:
            self._denied, self.error = False, ""
        if anew:
            batch = replace(batch, replaced=True)
        if self.found.part:
            # The file grew, but perhaps by what other runs logged.
            grew = grew and batch != _NOTHING
        if batch == _NOTHING and not (grew or mended or self.pending):
            return None
        self.pending = batch.pending
        self.told |= bool(batch.points)
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

    def _is_due(self, now: float) -> bool:
        return self._last_look is not None and now >= self._last_look

    def _wait(self, denial: OSError) -> Batch | None:
        """Keep the reader for when the file may be read again."""
        self.pending, self.caught_up = 0, True
        told, self._denied = self.error, True
        self.error = f"{self.found.path.name}: {denial.strerror or denial}"
        return None if self.error == told else Batch()

    def fail(self, error: Exception) -> Batch:
        """Read this file no further because of an error in lossmon itself."""
        return self._stop(f"{internal_error(error)}; the file is read no further")

    def _stop(self, reason: str) -> Batch:
        self.reader, self.pending, self.caught_up = None, 0, True
        self.error = f"{self.found.path.name}: {reason}"
        return Batch()

    def _learn(self, batch: Batch) -> None:
        if batch.replaced:
            self.facts = Facts()
        if self.facts.finished and any(len(points) for points in batch.points):
            # Training went on after the end mark: the run was resumed.
            self.facts = replace(self.facts, finished=False)
        for fact in batch.facts:
            self.facts = updated_facts(self.facts, fact)

    def is_outrun_by(self, other: FollowedFile) -> bool:
        """Whether another file went on for long after this one was written for the last time."""
        if self.seen is None or other.seen is None or not 0 <= self.newest < other.newest:
            return False
        return other.seen.modified_ns - self.seen.modified_ns > OUTRUN * 1e9

    def last_sign(self, newest_wall: float) -> float | None:
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
            # Others write the same file.
            ended = self.facts.finished or self.facts.failure
            began = self.facts.started
            if np.isfinite(newest_wall):
                return newest_wall
            if ended and began is not None and np.isfinite(began):
                return began
        if np.isfinite(newest_wall) and abs(modified - newest_wall) > FRESH_COPY:
            return newest_wall
        return modified


def _continues(old: FileState, new: FileState) -> bool:
    """Whether a file may still be the one that was given up."""
    return (old.device, old.inode) == (new.device, new.inode) and new.size >= old.size


def _timed(batch: Batch, now: float) -> Batch:
    """Give points that came live without a time the time of their arrival."""
    if all(np.isfinite(points.wall_times).all() for points in batch.points):
        return batch
    return replace(batch, points=tuple(_with_time(points, now) for points in batch.points))


def _with_time(points: Points, now: float) -> Points:
    known = np.isfinite(points.wall_times)
    if known.all():
        return points
    return replace(points, wall_times=np.where(known, points.wall_times, now))


_NOTHING = Batch()
