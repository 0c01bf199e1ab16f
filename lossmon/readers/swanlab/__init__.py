"""SwanLab run files: its log, its local logs and its settings."""

from __future__ import annotations

import re
from pathlib import Path

from lossmon.readers.format import DirectoryRules, Format, Rank, lazy

MAGIC = b":SWL\xd6\xe1"

_RUN = r"run-\d{8}_\d{6}-"


def _claims(_: Path, head: bytes) -> bool:
    return head.startswith(MAGIC[: len(head)])


def _claims_local(path: Path, head: bytes) -> bool:
    if path.parent.parent.name != "logs" or not path.stem.isdecimal():
        return False
    line = head.split(b"\n", 1)[0]
    return line.startswith(b'{"index"') and b'"create_time"' in line


def _claims_settings(path: Path, head: bytes) -> bool:
    return path.parent.name == "files" and bool(re.match(_RUN, path.parent.parent.name))


FORMATS = (
    Format(
        source="swanlab",
        title="SwanLab logs",
        names=("*.swanlab",),
        claims=_claims,
        open=lazy("lossmon.readers.swanlab.reader:SwanlabReader"),
        rank=Rank.BLOCKS,
        no_metrics=("swanlab-*.json", "runs.swanlab"),
        directories=DirectoryRules(parts=frozenset({"swanlog"}), run=_RUN),
    ),
    Format(
        source="swanlab",
        title="SwanLab local logs",
        names=("[0-9]*.log",),
        claims=_claims_local,
        open=lazy("lossmon.readers.swanlab.local:open_local"),
        rank=Rank.UNNAMED,
    ),
    Format(
        source="swanlab",
        title="SwanLab config.yaml",
        names=("config.yaml",),
        claims=_claims_settings,
        open=lazy("lossmon.readers.swanlab.local:open_settings"),
        rank=Rank.SETTINGS,
    ),
)
