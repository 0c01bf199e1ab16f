"""Cache of the status line on disk: a status bar costs no reading while no file changes.

Nothing heavy is imported before a cache entry turns out to be stale.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lossmon.config import Config
from lossmon.regular_file import open_regular
from lossmon.version import __version__

LIVE = 30.0
"""Seconds for which a line holds while no file changes: a run that stalls, or one that begins in
a directory that was not looked into, shows by then."""

ENDED = 600.0
"""The same where every run has ended."""

SHARE = 20.0
"""Reading may take a twentieth of the time: a line that took 2 s to make is shown for 40 s even
though its files grow."""

FILES = 1000
"""More files than these are not compared; the line then holds for its time alone."""

Signature = list[list[Any]]


def status(paths: Sequence[Path], config: Config, fail_on: str) -> tuple[str, bool | None]:
    """The status line, from the cache or made now.

    Returns:
        The line, and whether a finding is at or above `fail_on`; None where there is no run.
    """
    asked = [
        *(__version__, config.lang, config.sensitivity, fail_on),
        *({**config.metrics}, {**config.patterns}),
        [os.path.abspath(path) for path in paths],
    ]
    key = json.dumps(asked)
    file = _directory() / f"{zlib.crc32(key.encode()):08x}.json"
    entry = _load(file, key)
    if entry is None:
        entry = {"key": key, **_make(paths, config, fail_on)}
        _store(file, entry)
    return entry["line"], entry["fails"]


def _directory() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("lossmon") / "status"


def _load(file: Path, key: str) -> dict[str, Any] | None:
    """The cache entry, if it still holds."""
    try:
        with open_regular(file) as content:
            entry = json.load(content)
        if entry["key"] != key or not isinstance(entry["line"], str) or "fails" not in entry:
            return None
        age = time.time() - entry["made"]
        if age < 0 or age > entry["holds"]:
            return None
        return entry if age < SHARE * entry["took"] or _is_unchanged(entry["files"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # None yet, or another program wrote there: it is made again.
        return None


def _is_unchanged(files: Signature) -> bool:
    return bool(files) and files == signature(path for path, *_ in files)


def signature(paths: Iterable[str]) -> Signature:
    """Path, inode, size and time of change of files and directories; zeros where one is gone."""
    found: Signature = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found.append([path, 0, 0, 0])
        else:
            found.append([path, status.st_ino, status.st_size, status.st_mtime_ns])
    return found


def _make(paths: Sequence[Path], config: Config, fail_on: str) -> dict[str, Any]:
    begin = time.monotonic()
    from lossmon.readers.registry import has_write_ahead
    from lossmon.reports.check import fails, have_ended, monitors, with_metrics
    from lossmon.reports.status_line import status_line

    made, runs = time.time(), []
    files = roots = [os.path.abspath(path) for path in paths]
    for root, monitor in zip(roots, monitors(paths, config), strict=True):
        runs += with_metrics(monitor.drain())
        found = [str(file) for file in monitor.files]
        found += [f"{file}-wal" for file in found if has_write_ahead(os.path.basename(file))]
        files = [*files, *(one for file in found for one in _chain(root, file))]
    return {
        "line": status_line(runs, config.lang) if runs else "… no metrics",
        "fails": fails(runs, fail_on) if runs else None,
        "made": made,
        "took": time.monotonic() - begin,
        "holds": ENDED if have_ended(runs) else LIVE,
        "files": _comparable(list(dict.fromkeys(files)), made),
    }


def _comparable(files: Sequence[str], made: float) -> Signature:
    """What later calls compare; empty where that would be slow or would miss a change."""
    if len(files) > FILES:
        return []
    now = signature(files)
    # What was written while it was read may be newer than the line.
    return [] if any(modified >= made * 1e9 for *_, modified in now) else now


def _chain(root: str, file: str) -> Iterable[str]:
    """A file and the directories between it and the path that was given."""
    yield file
    above = os.path.dirname(os.path.abspath(file))
    while above.startswith(root.rstrip(os.sep) + os.sep):
        yield above
        above = os.path.dirname(above)


def _store(file: Path, entry: dict[str, Any]) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    # Without the cache the next line merely takes longer.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            fresh.write_text(json.dumps(entry), encoding="utf-8")
            os.replace(fresh, file)
        finally:
            fresh.unlink(missing_ok=True)
