"""Reader for a file in which a tracker keeps the settings of a run, beside its points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.files.lines import decode
from lossmon.types import Batch, Facts

_LARGEST = 1 << 20
"""Bytes that are read: an environment may be listed beside the settings."""


class SettingsReader:
    """Reads a small file that is written as a whole.

    Args:
        source: Name of the format family.
        decode_facts: What a text says, given its path too; None where it is not all there yet.
    """

    def __init__(
        self, path: Path, source: str, decode_facts: Callable[[Path, str], Facts | None]
    ) -> None:
        self.path = path
        self.source = source
        self._decode_facts = decode_facts
        self._known = Facts()

    def read(self, deadline: float) -> Batch:
        """Return what the file says, if that is new.

        Raises:
            ReadError: The file may not be read.
        """
        try:
            with self.path.open("rb") as file:
                text = decode(file.read(_LARGEST))
        except (FileNotFoundError, NotADirectoryError):
            return Batch()
        except OSError as error:
            raise ReadError(f"{self.path}: {error.strerror or error}") from error
        facts = self._decode_facts(self.path, text)
        if facts is None or facts == self._known:
            return Batch()
        self._known = facts
        return Batch(facts=(facts,))
