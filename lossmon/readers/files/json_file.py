"""JSON document that a program rewrites from time to time."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from lossmon.errors import ReadError
from lossmon.regular_file import open_regular

LARGEST = 1 << 29
"""Bytes of the largest document that is read: half a gigabyte takes some ten seconds and several
times its size in memory."""

LARGE = 1 << 20
"""Bytes from which on a document is worth the import of msgspec."""

PATIENCE = 10.0
"""Seconds after its last change from which a document that does not parse is worth a note: a writer
needs less for the rest of it."""


class JsonFile:
    """Reads a JSON document that a program rewrites from time to time.

    Args:
        parse: Parses its bytes.

    Attributes:
        path: The file.
        fault: Why the newest version could not be read, or empty. It is read again when the file
            changes: most such programs do not write atomically.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], object] | None = None) -> None:
        self.path = path
        self._parse_bytes = parse or parse_document
        self.fault = ""
        self._seen: tuple[int, ...] = ()
        self._changed = 0.0

    def read(self) -> object:
        """Return the document if it has changed, else None.

        Raises:
            ReadError: The file may not be read, is not a regular file, or is too large.
        """
        try:
            status = os.stat(self.path)
            identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if identity == self._seen:
                return None
            self._check(status)
            with open_regular(self.path) as file:
                content = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ReadError(f"{self.path}: {error.strerror or error}") from error
        self._seen, self._changed = identity, status.st_mtime
        return self._parse(content)

    def lasting_fault(self) -> str:
        """Return the fault, once, when it has lasted too long for a file that is being written."""
        if not self.fault or time.time() - self._changed < PATIENCE:
            return ""
        fault, self.fault = self.fault, ""
        return fault

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ReadError(f"{self.path}: not a regular file")
        if status.st_size > LARGEST:
            raise ReadError(
                f"{self.path}: {status.st_size:,} bytes are too many for one JSON document; "
                "it is skipped"
            )

    def _parse(self, content: bytes) -> object:
        self.fault = ""
        try:
            return self._parse_bytes(content)
        except (ValueError, RecursionError) as error:
            self.fault = str(error) if isinstance(error, ValueError) else "nested too deeply"
            return None


def parse_document(content: bytes) -> object:
    """Return a JSON document of any encoding and with integers of any length.

    Raises:
        ValueError: It is not JSON, or not all of it is there.
        RecursionError: It is nested too deeply.
    """
    if len(content) >= LARGE:
        # The text is not copied, and equal keys are one string.
        from msgspec import DecodeError
        from msgspec.json import decode

        with suppress(DecodeError, ValueError, RecursionError):
            return decode(content)
    text = content.decode(json.detect_encoding(content), errors="replace")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=float)


class LazyRecords(list[Any]):
    """The records of a large document, decoded when the iteration comes to them.

    All of them at once take twice the memory of their text.
    """

    def __iter__(self) -> Iterator[object]:
        for start in range(0, len(self), _TOGETHER):
            yield from _decoded(b"[%b]" % b",".join(self[start : start + _TOGETHER]))


_TOGETHER = 256
"""Lazy records that are decoded at once: a few dozen kilobytes."""


def _decoded(records: bytes) -> list[object]:
    from msgspec import DecodeError
    from msgspec.json import decode

    try:
        return decode(records, type=list[object])
    except (DecodeError, ValueError):
        # Texts are not decoded and numbers not converted where records are merely found.
        found = parse_document(records)
        return found if isinstance(found, list) else []


def parse_records(content: bytes) -> object:
    """Return a JSON document as `parse_document` does; lists of records in it may be lazy.

    Raises:
        ValueError: It is not JSON, or not all of it is there.
        RecursionError: It is nested too deeply.
    """
    if len(content) >= LARGE:
        from msgspec import DecodeError, Raw
        from msgspec.json import decode

        with suppress(DecodeError, ValueError, RecursionError):
            parts = decode(content, type=dict[str, Raw])
            return {
                name: LazyRecords(decode(part, type=list[Raw]))
                if _RECORDS.match(part)
                else decode(part)
                for name, part in parts.items()
            }
    return parse_document(content)


_RECORDS = re.compile(rb"\[\s*\{")
"""How a list of records begins."""
