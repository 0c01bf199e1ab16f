"""Which file system a path lies on, and whether it sends events for changes made elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux lists what is mounted."""

SILENT = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "afs", "coda", "ncpfs"),
        *("lustre", "gpfs", "beegfs", "ceph", "glusterfs", "panfs", "wekafs", "pvfs2", "orangefs"),
        *("ocfs2", "gfs2", "acfs", "virtiofs", "vboxsf", "prl_fs", "davfs", "davfs2", "quobyte"),
    }
)
"""File systems whose files other machines can change: the kernel here does not hear of it."""

LOCAL_FUSE = frozenset({"fuseblk", "fuse.fuse-overlayfs", "fuse.portal", "fuse.lxcfs"})
"""FUSE file systems of this machine alone; every other one may stand for something remote."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Type of the file system that a path lies on (`ext4`), empty where it cannot be known.

    Args:
        path: It, or directories at its end, need not exist.
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
        # Of several mounts on one point the last is on top.
        if _contains(point, real) and len(point) >= len(best):
            best, kind = point, described.split(" ", 1)[0]
    return kind


def is_silent(kind: str) -> bool:
    """Whether a file system of this type can change without an event here."""
    return kind in SILENT or (kind.startswith("fuse") and kind not in LOCAL_FUSE)


def _contains(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
