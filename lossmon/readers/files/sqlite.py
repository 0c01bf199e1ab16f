"""A SQLite database that another program writes, read without a trace."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

from lossmon.errors import ReadError

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


class Revision(NamedTuple):
    """A state of a database: equal ones mean that nothing was committed in between."""

    inode: tuple[int, int]
    written: tuple[int, int]
    changes: bytes
    appended: tuple[int, int, int] = (0, 0, 0)
    ahead: bytes = b""


class BusyError(Exception):
    """The writer holds the database; ask again later."""


@contextmanager
def visit(path: Path, timeout: float = TIMEOUT) -> Iterator[sqlite3.Connection]:
    """Open a database for some short questions, and close it at once.

    An open read transaction would make the training fail with "database is locked". A database
    with a write-ahead log leaves files behind when it is opened for reading; while no writer has
    one open it is therefore taken for immutable. What a writer that was killed left half done is
    undone in a copy.

    Args:
        path: The database.
        timeout: Seconds to wait for a writer's lock.

    Raises:
        BusyError: A writer holds it.
        ReadError: It is not a database, is corrupt, or answers too slowly.
        FileNotFoundError: It is not there.
    """
    try:
        with ExitStack() as stack:
            yield stack.enter_context(closing(_opened(path, stack, timeout)))
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise BusyError from error
        raise ReadError(f"{path}: {error}") from error
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        # A damaged file gives names and messages that are not UTF-8.
        raise ReadError(f"{path}: {error}") from error


def _opened(path: Path, stack: ExitStack, timeout: float) -> sqlite3.Connection:
    address = _address(path)
    try:
        return _begun(address, timeout)
    except sqlite3.OperationalError as error:
        if "readonly database" in str(error) and _journal(path).exists():
            # Only a writer may undo the transaction in which another one was killed.
            copy = _copy(path, Path(stack.enter_context(TemporaryDirectory(prefix="lossmon-"))))
            return _begun(f"file:{quote(os.fsencode(copy))}?mode=rw", timeout)
        if "unable to open" not in str(error) or address.endswith(_IMMUTABLE):
            raise
        # Where nothing may be written beside a database, its log cannot be read: what was
        # written into the database itself is better than nothing.
        return _begun(address + _IMMUTABLE, timeout)


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-journal")


def _copy(path: Path, directory: Path) -> Path:
    """Copy a database and its journal.

    Raises:
        BusyError: They changed meanwhile.
        ReadError: They are too large.
    """
    files = (path, _journal(path))
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


def _address(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ReadError(f"{path}: not a regular file")
    with path.open("rb") as file:
        head = file.read(20)
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    log = path.with_name(path.name + "-wal")
    if head[18:20] == _WAL and not log.exists():
        address += _IMMUTABLE
    return address


def revision(path: Path) -> Revision | None:
    """Tell the states of a database apart without opening it as one; None if it is not a file.

    The time stamps of files are too coarse for that, and a log that was written into the database
    is filled again from its beginning, so that its size does not tell either.

    Raises:
        OSError: It is not there or may not be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return None
    head = _beginning(path, _CHANGES.stop)
    log = path.with_name(path.name + "-wal")
    own = Revision(
        (status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns), head[_CHANGES]
    )
    try:
        ahead = log.stat()
        index = _beginning(path.with_name(path.name + "-shm"), _INDEX)
    except OSError:
        return own
    return own._replace(appended=(ahead.st_ino, ahead.st_size, ahead.st_mtime_ns), ahead=index)


def _beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
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
