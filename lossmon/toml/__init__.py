"""TOML files that users write by hand: how they are read and changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossmon.regular_file import open_regular

LARGEST = 1 << 18
"""Bytes of the largest settings file or theme that is read."""

MOST_DOTS = 100
"""Dots in a line: the time for a dotted key grows with the square of its parts."""


class TomlError(ValueError):
    """A file cannot be read as TOML; says why, but not which file."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Neither a pipe nor a device is waited for, and what would take long is not parsed.

    Raises:
        FileNotFoundError: It does not exist.
        TomlError: It cannot be read; says why.
    """
    try:
        content = _content(path)
    except FileNotFoundError:
        if path.is_symlink():
            raise TomlError("is a broken symbolic link") from None
        raise
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror or error}") from error
    # Most users have no such file, and need not wait for the import of its parser.
    import tomllib

    try:
        text = content.decode("utf-8-sig")
        for number, line in enumerate(text.splitlines(), 1):
            if line.count(".") > MOST_DOTS:
                raise TomlError(f"line {number} has more than {MOST_DOTS} dots")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TomlError(f"is not UTF-8: {error}") from error
    except RecursionError as error:
        raise TomlError("not valid TOML: nested too deeply") from error
    except TomlError:
        raise
    except ValueError as error:
        # A decode error says line and column; a number of thousands of digits is a ValueError.
        raise TomlError(f"not valid TOML: {error}") from error


def _content(path: Path) -> bytes:
    with open_regular(path) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise TomlError(f"is larger than {LARGEST >> 10} KiB")
    return content
