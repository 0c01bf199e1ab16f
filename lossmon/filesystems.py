"""File systems of paths: whether they report changes made by other machines, and whether they
answer."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

MOUNTS = Path("/proc/self/mountinfo")
"""Table of mounts of Linux."""

SILENT = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "afs", "coda", "ncpfs"),
        *("lustre", "gpfs", "beegfs", "ceph", "glusterfs", "panfs", "wekafs", "pvfs2", "orangefs"),
        *("ocfs2", "gfs2", "acfs", "virtiofs", "vboxsf", "prl_fs", "davfs", "davfs2", "quobyte"),
    }
)
"""File systems that other machines can change without an event in this kernel."""

LOCAL_FUSE = frozenset({"fuseblk", "fuse.fuse-overlayfs", "fuse.portal", "fuse.lxcfs"})
"""FUSE file systems of this machine alone; every other one may be remote."""

MOST_LINKS = 40
"""Links in a path after which Linux itself gives up."""

LOOK_PAUSE = 0.005
"""Seconds between two questions to a child that looks at a path."""

# What every reader asks first.
_LOOK = "import os, sys; os.stat(sys.argv[1]); next(os.scandir(sys.argv[1]), None)"

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system: its directory and its type, both empty where unknown."""

    point: str = ""
    kind: str = ""


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Type of the file system of a path (`ext4`), empty where unknown.

    Args:
        path: Need not exist; links in it are followed.
        mounts: Table in the format of proc(5), mountinfo.
    """
    return _mount(os.path.realpath(path), _table(mounts)).kind


def mount_of(path: Path, mounts: Path = MOUNTS) -> Mount:
    """The file system of a path, without a question to one that may hang.

    Links are followed up to the first file system that is not of this machine alone.
    """
    return _followed(os.path.abspath(path), _table(mounts))


def silent_mounts(paths: Iterable[Path], mounts: Path = MOUNTS) -> tuple[Mount, ...]:
    """Network file systems that paths are on, or that are mounted below them."""
    table = _table(mounts)
    found: dict[str, Mount] = {}
    for path in paths:
        name = os.path.abspath(path)
        below = [mount for mount in table if _contains(name, mount.point)]
        for mount in (_followed(name, table), *below):
            if is_silent(mount.kind):
                found[mount.point] = mount
    return tuple(found.values())


class PathLook:
    """A child process that looks at a path.

    What asks a file system that hangs may not even be killed: a child can be left behind.

    Attributes:
        path: Where it looks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        arguments = [sys.executable, "-I", "-S", "-c", _LOOK, os.path.abspath(path)]
        self._child = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=silent)
        self._has_ended = False

    def answered(self, patience: float = 0.0) -> bool:
        """Whether the file system has answered, or does so within some seconds."""
        end = time.monotonic() + patience
        while not self._has_ended:
            try:
                self._has_ended = os.waitpid(self._child, os.WNOHANG)[0] != 0
            except ChildProcessError:
                self._has_ended = True
            if self._has_ended or time.monotonic() >= end:
                break
            time.sleep(LOOK_PAUSE)
        return self._has_ended


def unanswering(paths: Iterable[Path], patience: float) -> list[PathLook]:
    """Looks at those paths whose network file systems do not answer in time.

    Args:
        paths: Need not exist: that something is not there is an answer.
        patience: Seconds for which all of them together are waited for.
    """
    looks = [PathLook(path) for path in paths if is_silent(mount_of(path).kind)]
    end = time.monotonic() + patience
    return [look for look in looks if not look.answered(max(0.0, end - time.monotonic()))]


def _followed(name: str, table: Sequence[Mount]) -> Mount:
    """The mount of an absolute name, its links being followed while they are on local ones."""
    done, left = "/", [part for part in name.split("/") if part]
    links = 0
    while left:
        mount = _mount(done, table)
        if is_silent(mount.kind):
            return mount
        done = os.path.normpath(os.path.join(done, left.pop(0)))
        if is_silent(_mount(done, table).kind):
            continue
        try:
            target = os.readlink(done)
        except OSError:
            continue
        links += 1
        if links > MOST_LINKS:
            break
        left = [*(part for part in target.split("/") if part), *left]
        done = "/" if target.startswith("/") else os.path.dirname(done)
    return _mount(done, table)


def _table(mounts: Path) -> list[Mount]:
    """All mounts, in the order in which they were mounted."""
    try:
        text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        mounted, separator, described = line.partition(" - ")
        fields = mounted.split(" ")
        if separator and len(fields) >= 5:
            point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
            found.append(Mount(point, described.split(" ", 1)[0]))
    return found


def _mount(name: str, table: Sequence[Mount]) -> Mount:
    """The mount of an absolute name."""
    best = Mount()
    for mount in table:
        # Of several mounts on one directory, the last counts.
        if _contains(mount.point, name) and len(mount.point) >= len(best.point):
            best = mount
    return best


def is_silent(kind: str) -> bool:
    """Whether a file system of this type can change without an event on this machine."""
    return kind in SILENT or (kind.startswith("fuse") and kind not in LOCAL_FUSE)


def _contains(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
