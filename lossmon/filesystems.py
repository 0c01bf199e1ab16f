"""File systems of paths, and whether they report changes made by other machines."""

from __future__ import annotations

import os
import re
from pathlib import Path

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


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Type of the file system of a path (`ext4`), empty where unknown.

    Args:
        path: Need not exist.
        mounts: Table in the format of proc(5), mountinfo.
    """
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    real, best, kind = os.path.realpath(path), "", ""
    for line in table.splitlines():
        mounted, separator, described = line.partition(" - ")
        fields = mounted.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of several mounts on one directory, the last counts.
        if _contains(point, real) and len(point) >= len(best):
            best, kind = point, described.split(" ", 1)[0]
    return kind


def is_silent(kind: str) -> bool:
    """Whether a file system of this type can change without an event on this machine."""
    return kind in SILENT or (kind.startswith("fuse") and kind not in LOCAL_FUSE)


def _contains(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
