"""VisualDL records (`vdlrecords.*.log`)."""

from __future__ import annotations

from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import Format, Origin, Rank, lazy

HEADER = 8
"""Bytes before a record: its length, little-endian."""

LARGEST = 1 << 31
"""Bytes that no record can have: protocol buffers end at 2 GiB."""

_NAME = lazy_pattern(r"vdlrecords\.(\d{10})\.log")


def _claims(_: Path, head: bytes) -> bool:
    """A length, and a message whose first field has the number 1."""
    if len(head) <= HEADER:
        return True
    return 0 < int.from_bytes(head[:HEADER], "little") < LARGEST and head[HEADER] == 1 << 3 | 2


def _origin(path: Path, _: bytes) -> Origin:
    begun = _NAME.match(path.name)
    return Origin(begun=int(begun[1]) if begun else 0)


FORMATS = (
    Format(
        source="visualdl",
        title="VisualDL records",
        names=("*vdlrecords*",),
        claims=_claims,
        open=lazy("lossmon.readers.visualdl.reader:VisualdlReader"),
        rank=Rank.EVENTS,
        origin=_origin,
    ),
)
