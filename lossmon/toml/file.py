"""Atomic rewriting of a settings file."""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from lossmon.errors import ConfigError
from lossmon.toml.read import LARGEST


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Replace a TOML file by its changed text; a missing file is created.

    A symbolic link stays a link, and the file keeps its mode.

    Args:
        path: The file.
        change: Returns the new text for the old one, or raises ValueError.

    Raises:
        ConfigError: The file cannot be rewritten; it is unchanged.
    """
    path = Path(os.path.realpath(path))
    try:
        before = _read(path)
        text = "" if before is None else before.decode("utf-8")
        tomllib.loads(text)
        changed = change(text)
        tomllib.loads(changed)
        fresh = changed.encode("utf-8")
        if fresh != before:
            _replace(path, before, fresh)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except UnicodeError as error:
        raise ConfigError(f"{path}: is not UTF-8: {error}") from error
    except (OSError, ValueError, IndexError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"{path}: {reason or error}") from error


def _read(path: Path) -> bytes | None:
    """The contents, None where there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("is not a file")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        # Without this check, a writable directory would allow the replacement.
        raise ValueError("is read-only")
    if status.st_size > LARGEST:
        raise ValueError(f"is larger than {LARGEST >> 20} MiB")
    return path.read_bytes()


def _replace(path: Path, before: bytes | None, fresh: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            os.chmod(name, stat.S_IMODE(path.stat().st_mode))
        if _read(path) != before:
            raise ValueError("was changed meanwhile")
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
