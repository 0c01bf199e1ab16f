"""Regular files: opened without waiting for what has the name of one and is a pipe or a device."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: str | Path, *, follow: bool = True) -> BinaryIO:
    """Open a file for reading.

    A pipe is not even opened, because a program that waits to write into it would go on.

    Args:
        path: The file.
        follow: Whether its name may be a symbolic link.

    Raises:
        OSError: It is not there, may not be read, or is not a regular file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    _check(os.stat(path, follow_symlinks=follow), path)
    descriptor = os.open(path, flags | (0 if follow else os.O_NOFOLLOW))
    try:
        _check(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _check(status: os.stat_result, path: str | Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, "Is a directory", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
