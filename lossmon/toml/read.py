"""Reading of TOML files that users write."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

LARGEST = 1 << 20
"""Bytes of the largest settings file or theme that is read."""


class TomlError(ValueError):
    """A file cannot be read as TOML; says why, but not which file."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Neither a pipe nor a device is waited for, and what is larger than `LARGEST` is not parsed.

    Raises:
        FileNotFoundError: It does not exist.
        TomlError: It cannot be read; says why.
    """
    try:
        content = _content(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror or error}") from error
    # Most users have no such file, and need not wait for the import of its parser.
    import tomllib

    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise TomlError(f"is not UTF-8: {error}") from error
    except RecursionError as error:
        raise TomlError("not valid TOML: nested too deeply") from error
    except ValueError as error:
        # A decode error says line and column; a number of thousands of digits is a ValueError.
        raise TomlError(f"not valid TOML: {error}") from error


def _content(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise TomlError("is not a regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise TomlError(f"is larger than {LARGEST >> 20} MiB")
    return content
