"""File systems of paths, and whether they report changes made by other machines."""

from __future__ import annotations

import os
import re
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
    return _mount(os.path.realpath(path), mounts).kind


def mount_of(path: Path, mounts: Path = MOUNTS) -> Mount:
    """The file system of a path as it is spelled; nothing is asked of it, since it may hang."""
    return _mount(os.path.abspath(path), mounts)


def _mount(name: str, mounts: Path) -> Mount:
    """The mount of an absolute name."""
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return Mount()
    best = Mount()
    for line in table.splitlines():
        mounted, separator, described = line.partition(" - ")
        fields = mounted.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of several mounts on one directory, the last counts.
        if _contains(point, name) and len(point) >= len(best.point):
            best = Mount(point, described.split(" ", 1)[0])
    return best


def is_silent(kind: str) -> bool:
    """Whether a file system of this type can change without an event on this machine."""
    return kind in SILENT or (kind.startswith("fuse") and kind not in LOCAL_FUSE)


def _contains(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
