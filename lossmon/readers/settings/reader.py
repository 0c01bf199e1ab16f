"""Settings files of trackers in YAML, beside the points of a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.files.lines import decode
from lossmon.regular_file import open_regular
from lossmon.types import Batch, Facts

MOST_LINES = 5_000
"""Lines that are read: the settings of one run fit many times."""

_PAIR = re.compile(
    r"""^(?P<key>"[^"]*"|'[^']*'|[^\s#'"\-&*!|>{}\[\]][^:#]*?):(?:\s+(?P<value>.*))?$"""
)
_ITEM = re.compile(r"^-(?:\s+(?P<value>.*))?$")
_BLOCK = re.compile(r"^[|>][+-]?\d?$")
_WHOLE = re.compile(r"[-+]?\d{1,18}")

KeyPath = tuple[str, ...]
"""The keys that lead to a value, the outermost first."""


def settings(text: str) -> dict[KeyPath, object]:
    """Return the plain values of a document by their places.

    Whole numbers are integers, everything else is text as it stands there, without quotes; a list
    of plain values is one text, `[a, b]`. Absent values (`null`, `~`, nothing) are left out.
    """
    found: dict[KeyPath, object] = {}
    lists: dict[KeyPath, list[str]] = {}
    for place, value in _values(text):
        if place and place[-1] == "-":
            lists.setdefault(place[:-1], []).append(value)
        elif value not in ("", "null", "~", "Null", "NULL"):
            found[place] = int(value) if _WHOLE.fullmatch(value) else value
    for place, items in lists.items():
        found[place] = f"[{', '.join(items)}]"
    return found


def dotted(text: str) -> dict[str, object]:
    """The same with places joined by dots."""
    return {".".join(place): value for place, value in settings(text).items()}


def _values(text: str) -> Iterator[tuple[KeyPath, str]]:
    """Each plain value with its place; the place of an item of a list ends with `-`."""
    above: list[tuple[int, str]] = []
    skipped = -1
    for line in text.splitlines()[:MOST_LINES]:
        stripped = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if not stripped or stripped.startswith(("#", "---", "...")):
            continue
        if 0 <= skipped < indent:
            continue
        skipped = -1
        if item := _ITEM.match(stripped):
            # The items of a list may stand as far left as the key that they belong to.
            above = [one for one in above if one[0] <= indent]
            value = _plain(item["value"] or "")
            if value and _PAIR.match(value) is None:
                yield (*(key for _, key in above), "-"), value
            skipped = indent
            continue
        above = [one for one in above if one[0] < indent]
        pair = _PAIR.match(stripped)
        if pair is None:
            continue
        above.append((indent, _plain(pair["key"])))
        value = pair["value"] or ""
        if _BLOCK.match(value.split(" #")[0].strip()):
            skipped = indent
        elif value and value[0] not in "&*!":
            yield tuple(key for _, key in above), _plain(value)


def _plain(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #")[0].rstrip()


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
            with open_regular(self.path) as file:
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
