"""Comet's offline experiments: a zip archive of messages as JSON lines."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.format import DirectoryRules, Format, Rank, lazy

_MAGIC = b"PK\x03\x04"

_MEMBERS = (b"experiment.json", b"messages.json")
"""Files of the archive; the first one stands near its beginning."""


def _claims(_: Path, head: bytes) -> bool:
    return head.startswith(_MAGIC) and any(name in head for name in _MEMBERS)


FORMATS = (
    Format(
        source="comet",
        title="Comet offline experiments",
        names=("*.zip",),
        claims=_claims,
        open=lazy("lossmon.readers.comet.reader:CometReader"),
        rank=Rank.LIVE,
        container=lazy("lossmon.readers.comet.reader:CometArchive"),
        directories=DirectoryRules(
            parts=frozenset({".cometml-runs"}), hidden=frozenset({".cometml-runs"})
        ),
    ),
)
