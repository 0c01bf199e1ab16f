"""A SQLite database that another program writes, read without a trace."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

from lossmon.errors import ReadError
from lossmon.regular_file import open_regular

MAGIC = b"SQLite format 3\0"

TIMEOUT = 0.2
"""Seconds to wait for a writer's lock."""

LOOK_TIMEOUT = 0.02
"""The same where only the tables are asked for. Each format asks, and after a search that took long
the next one waits: a lock that is held for seconds must not cause that."""

LONGEST = 2.0
"""Seconds that all questions of one visit may take. A schema is part of the file, so that a
hostile one could make a query run for ever."""

LARGEST_COPY = 1 << 28
"""Bytes of a database that is copied, with its journal."""

_IMMUTABLE = "&immutable=1"

_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond."""

_WAL = b"\2\2"
"""Bytes 18 and 19 of a database whose changes are appended to a file beside it."""


_CHANGES = slice(24, 28)
"""Where a database counts its changes."""

_INDEX = 48
"""Bytes at the beginning of the index of a write-ahead log that change with each transaction."""

_LOG_HEAD = 32
"""Bytes at the beginning of a write-ahead log, with random ones that tell it from any other."""

_INDEX_LOCK = 128
"""Byte of that index which each program that has the database open locks."""


class Revision(NamedTuple):
    """A state of a database: equal ones mean that nothing was committed in between."""

    inode: tuple[int, int]
    written: tuple[int, int]
    changes: bytes
    appended: tuple[int, int, int] = (0, 0, 0)
    ahead: bytes = b""


class BusyError(Exception):
    """The writer holds the database; ask again later."""


class TornError(BusyError):
    """A database changed while it was read without a lock: the answers may not fit together."""


@contextmanager
def visit(path: Path, timeout: float = TIMEOUT) -> Iterator[sqlite3.Connection]:
    """Open a database for some short questions, and close it at once.

    An open read transaction would make the training fail with "database is locked". A database
    with a write-ahead log leaves files behind when it is opened for reading; while no writer has
    one open it is therefore taken for immutable. A writer that closes during the visit leaves its
    log to the last program that has the database open, which is this one. What a writer that was
    killed left half done is undone in a copy.

    Args:
        timeout: Seconds to wait for a writer's lock.

    Raises:
        BusyError: A writer holds it.
        TornError: A writer opened it meanwhile, and changed what was being read.
        ReadError: It is not a database, is corrupt, or answers too slowly.
        FileNotFoundError: It is not there.
    """
    before = _left_log(path)
    try:
        with ExitStack() as stack:
            yield stack.enter_context(closing(_opened(path, stack, timeout)))
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise BusyError from error
        raise ReadError(f"{path}: {error}") from error
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        # SQLite says "file is not a database" or "database disk image is malformed". A damaged
        # file gives names and messages that are not UTF-8.
        raise ReadError(f"{path}: {error}") from error
    finally:
        after = _left_log(path)
        if after is not None and (after != before or not after):
            _write_back_log(path)


def _opened(path: Path, stack: ExitStack, timeout: float) -> sqlite3.Connection:
    if _stands_alone(path):
        stack.enter_context(_unchanged(path))
        return _begun(_address(path, "ro") + _IMMUTABLE, timeout)
    try:
        return _begun(_address(path, "ro"), timeout)
    except sqlite3.OperationalError as error:
        if "readonly database" in str(error) and _beside(path, "-journal").exists():
            # Only a writer may undo the transaction in which another one was killed.
            copy = _copy(path, Path(stack.enter_context(TemporaryDirectory(prefix="lossmon-"))))
            return _begun(_address(copy, "rw"), timeout)
        if "unable to open" not in str(error):
            raise
        # Where nothing may be written beside a database, its log cannot be read: what was
        # written into the database itself is better than nothing.
        stack.enter_context(_unchanged(path))
        return _begun(_address(path, "ro") + _IMMUTABLE, timeout)


def _stands_alone(path: Path) -> bool:
    """Whether nothing beside a database belongs to it.

    SQLite would wait for a pipe in the place of a journal, and try for minutes to use a directory.
    """
    files = [_beside(path, ending) for ending in ("-journal", "-wal", "-shm")]
    if any(map(_is_obstacle, files)):
        return True
    return _beginning(path, 20)[18:20] == _WAL and not files[1].exists()


def _is_obstacle(file: Path) -> bool:
    """Whether something else stands in the place of a file, which may go at any moment."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return file.is_symlink()


@contextmanager
def _unchanged(path: Path) -> Iterator[None]:
    """Refuse the answers of a database that changed while it was taken for immutable."""
    before = _own_revision(path)
    try:
        yield
    except sqlite3.Error:
        if _own_revision(path) == before:
            raise
    if _own_revision(path) != before:
        raise TornError


def _left_log(path: Path) -> bytes | None:
    """Head of a write-ahead log beside a database that no other program has open, None without it.

    Each program that has it open locks one byte of the index of its log.
    """
    try:
        head = _beginning(_beside(path, "-wal"), _LOG_HEAD)
    except OSError:
        return None
    try:
        with open_regular(_beside(path, "-shm")) as index:
            return None if _is_locked(index.fileno(), _INDEX_LOCK) else head
    except OSError:
        return head


def _is_locked(descriptor: int, at: int) -> bool:
    """Whether another process locks a byte of a file."""
    import fcntl

    wanted: tuple[int, ...] = (fcntl.F_WRLCK, os.SEEK_SET, at, 1, 0)
    flock, kind = "@hhqqi4x", 0
    if sys.platform == "darwin":
        wanted, flock, kind = (at, 1, 0, fcntl.F_WRLCK, os.SEEK_SET), "@qqihh", 3
    found = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(flock, *wanted))
    return bool(struct.unpack(flock, found)[kind] != fcntl.F_UNLCK)


def _write_back_log(path: Path) -> None:
    """Do what a writer does that closes a database as the last program that has it open."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(_address(path, "rw"), uri=True, timeout=TIMEOUT)) as connection,
    ):
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _address(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


def _copy(path: Path, directory: Path) -> Path:
    """Copy a database and its journal.

    Raises:
        BusyError: They changed meanwhile.
        ReadError: They are too large.
    """
    files = (path, _beside(path, "-journal"))
    before = [file.stat() for file in files]
    if sum(status.st_size for status in before) > LARGEST_COPY:
        raise ReadError(f"{path}: its writer was killed; it is shown when it is written again")
    for file in files:
        shutil.copyfile(file, directory / file.name)
    after = [file.stat() for file in files]
    if any(
        (a.st_size, a.st_mtime_ns) != (b.st_size, b.st_mtime_ns)
        for a, b in zip(before, after, strict=True)
    ):
        raise BusyError
    return directory / path.name


def _begun(address: str, timeout: float) -> sqlite3.Connection:
    """Open a database and begin a transaction, so that all is answered from one state of it."""
    connection = sqlite3.connect(address, uri=True, timeout=timeout)
    try:
        end = time.monotonic() + LONGEST
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def revision(path: Path) -> Revision | None:
    """Tell the states of a database apart without opening it as one; None if it is not a file.

    The time stamps of files are too coarse for that, and a log that was written into the database
    is filled again from its beginning, so that its size does not tell either.

    Raises:
        OSError: It is not there or may not be read.
    """
    own = _own_revision(path)
    if own is None:
        return None
    try:
        ahead = _beside(path, "-wal").stat()
        index = _beginning(_beside(path, "-shm"), _INDEX)
    except OSError:
        return own
    return own._replace(appended=(ahead.st_ino, ahead.st_size, ahead.st_mtime_ns), ahead=index)


def _own_revision(path: Path) -> Revision | None:
    """The same without what stands in its log."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return None
    changes = _beginning(path, _CHANGES.stop)[_CHANGES]
    return Revision((status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns), changes)


def _beginning(path: Path, size: int) -> bytes:
    with open_regular(path) as file:
        return file.read(size)


def fault(path: Path) -> str:
    """Return why a database cannot be asked for its tables, with its name; empty if it can be."""
    try:
        with visit(path, LOOK_TIMEOUT) as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchmany(1000)
    except BusyError:
        return f"{path}: its writer keeps it locked; it is tried again"
    except ReadError as error:
        return str(error)
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    return ""


def table_names(path: Path) -> frozenset[str]:
    """Return the names of the tables of a database; empty if it cannot be asked."""
    try:
        with visit(path, LOOK_TIMEOUT) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return frozenset(str(name) for (name,) in rows.fetchmany(1000))
    except (BusyError, ReadError, OSError):
        return frozenset()
