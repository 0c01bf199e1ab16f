"""Small JSON files in the user's own directory: read whole, written whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

from lossmon.errors import LossmonError
from lossmon.regular_file import open_regular


class JsonFileError(LossmonError):
    """A file cannot be read or written, or is not one of ours; says which and why."""


def read(path: Path, most: int) -> object:
    """What a file holds.

    Args:
        most: Bytes; a larger file is not ours.

    Raises:
        FileNotFoundError: There is none.
        JsonFileError: It cannot be read, is too large, or is not JSON.
    """
    try:
        with open_regular(path) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise JsonFileError(f"{path}: larger than {most >> 10:,} KiB")
        value: object = json.loads(content)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise JsonFileError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise JsonFileError(f"{path}: not JSON ({error})") from error
    return value


def write(path: Path, text: str) -> None:
    """Put a text in the place of what was there; a crash leaves the old file or the new one.

    Raises:
        JsonFileError: It cannot be written; the old file stays.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.unlink(missing_ok=True)
            with beside.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise JsonFileError(f"{path}: {error.strerror or error}") from error
