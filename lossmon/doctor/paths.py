"""Checks of the paths to watch: readable, on which file system, with which clock."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from lossmon.doctor import CheckResult, bad, good, note
from lossmon.filesystems import file_system, is_silent, mount_of

PATIENCE = 5.0
"""Seconds for which a network file system is waited for."""

READING = 2.0
"""Seconds of reading in search of files that cannot be read."""

MOST_FAULTS = 5
"""Such files that are named."""

SKEW = 2.0
"""Seconds by which two clocks may differ; below it file times are merely coarse."""

SLOW = 0.01
"""Seconds of one look at a file from which polling is felt."""

LOOKS = 20
"""Looks at one path that are timed."""

INOTIFY = Path("/proc/sys/fs/inotify")
"""Where Linux keeps the limits of file events."""

FEW_WATCHES, FEW_INSTANCES = 8192, 64
"""Limits below which other programs easily take all: an editor or two."""


def check_paths(paths: Sequence[Path], late: Collection[Path] = ()) -> Iterator[CheckResult]:
    """Each path: does it answer, may it be read, does it send events, do the clocks agree?

    Args:
        paths: Run directories or log files.
        late: Those whose file system does not answer.
    """
    for path in paths:
        if path in late:
            point, kind = mount_of(path)
            found = "{point} ({kind}) has not answered for {seconds} s"
            remedy = "see that its server is up, or mount it again"
            values = {"point": str(point), "kind": kind, "seconds": f"{PATIENCE:g}"}
            yield bad(str(path), found, remedy, **values)
            continue
        if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
            found = "is not there" if _is_missing(path) else "may not be read"
            yield bad(str(path), found, "name a directory or a log file that you may read")
            continue
        yield _file_system(path)
        yield from _clock(path)
        yield from _faults(path)


def _is_missing(path: Path) -> bool:
    try:
        return not path.exists()
    except PermissionError:
        return False


def _faults(path: Path) -> Iterator[CheckResult]:
    """Files that lossmon reads only in part or not at all, as far as a short look finds them."""
    from lossmon.monitor import Monitor

    snapshot = Monitor([path]).poll(READING)
    errors = (error for run in snapshot.runs for error in run.errors)
    faults = list(dict.fromkeys((*snapshot.notes, *errors)))
    for fault in faults[:MOST_FAULTS]:
        remedy = "everything else is read; `lossmon explain FILE` says more"
        yield note("files", "{fault}", remedy, fault=fault)
    if len(faults) > MOST_FAULTS:
        found, count = "{count} more files are read in part or not at all", len(faults)
        yield note("files", found, "correct those first", count=str(count - MOST_FAULTS))


def _file_system(path: Path) -> CheckResult:
    kind, cost = file_system(path), _cost(path)
    values = {"kind": kind or "?", "took": f"{cost * 1e3:.2g}"}
    if not is_silent(kind):
        found = "{kind}, changes are reported as events; one look takes {took} ms"
        return good(str(path), found, **values)
    found = "{kind}, a network file system: files are polled every second; one look takes {took} ms"
    if cost < SLOW:
        return good(str(path), found, **values)
    remedy = "watch fewer runs at once, or run lossmon where the files are"
    return note(str(path), found, remedy, **values)


def _cost(path: Path) -> float:
    begin = time.perf_counter()
    for _ in range(LOOKS):
        os.stat(path)
    return (time.perf_counter() - begin) / LOOKS


def _clock(path: Path) -> Iterator[CheckResult]:
    """Compare the clock of the file system with that of this machine."""
    directory = path if path.is_dir() else path.parent
    newest = _newest(directory)
    if is_silent(file_system(path)) and os.access(directory, os.W_OK):
        # Its server stamps the files: only a new one tells its clock.
        before = time.time()
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".lossmon-doctor-") as probe:
            probe.write(b"\n")
            probe.flush()
            skew = os.stat(probe.name).st_mtime - (before + time.time()) / 2
    else:
        skew = max(0.0, newest - time.time())
    if abs(skew) <= SKEW:
        return
    ahead = "the files of {directory} are {seconds} s ahead of this machine"
    behind = "the files of {directory} are {seconds} s behind this machine"
    yield note(
        "clock",
        ahead if skew > 0 else behind,
        "let NTP set both clocks: a silent run is noticed that much too late or too early",
        directory=str(directory),
        seconds=f"{abs(skew):.0f}",
    )


def _newest(directory: Path) -> float:
    try:
        return max((entry.stat().st_mtime for entry in os.scandir(directory)), default=0.0)
    except OSError:
        return 0.0


def check_events(paths: Sequence[Path], limits: Path = INOTIFY) -> Iterator[CheckResult]:
    """The limits of file events on Linux, and whether there are any left for these paths."""
    from lossmon.watch import Watch

    with Watch(paths, threading.Event()) as watch:
        exhausted = [one for one in watch.notes if "(fs.inotify" in one]
    for text in exhausted:
        remedy = "end other programs that watch files, or raise that limit with sysctl"
        yield note("file events", "{limit}", remedy, limit=text)
    try:
        watches, instances = (
            int((limits / name).read_text()) for name in ("max_user_watches", "max_user_instances")
        )
    except (OSError, ValueError):
        yield note(
            "file events",
            "the limits of inotify cannot be read",
            "nothing: where no events come, files are polled",
        )
        return
    found = "inotify: {watches} watches and {instances} instances per user"
    values = {"watches": f"{watches:,}", "instances": f"{instances:,}"}
    if watches >= FEW_WATCHES and instances >= FEW_INSTANCES:
        yield good("file events", found, **values)
        return
    names = []
    if watches < FEW_WATCHES:
        names.append("fs.inotify.max_user_watches=65536")
    if instances < FEW_INSTANCES:
        names.append("fs.inotify.max_user_instances=512")
    remedy = "sudo sysctl {names}; until then files are polled"
    yield note("file events", found, remedy, names=" ".join(names), **values)
