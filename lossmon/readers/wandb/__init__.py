"""Weights & Biases transaction logs (`run-<id>.wandb`)."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import DirectoryRules, Format, Origin, Rank, lazy

MAGIC = b":W&B\xe1\xbe"


def _claims(_: Path, head: bytes) -> bool:
    return head.startswith(MAGIC[: len(head)])


_RUN = lazy_pattern(r"run-(?P<id>.+)\.wandb")
_DIRECTORY = lazy_pattern(r"(?:offline-)?run-(?P<begun>\d{8}_\d{6})-")


def _origin(path: Path, _: bytes) -> Origin:
    """The id of the run, which a resumed run and a copy of `latest-run` keep."""
    name, directory = _RUN.fullmatch(path.name), _DIRECTORY.match(path.parent.name)
    begun = 0
    if directory:
        import calendar

        with suppress(ValueError):
            begun = calendar.timegm(time.strptime(directory["begun"], "%Y%m%d_%H%M%S"))
    return Origin(begun=begun, run=name["id"] if name else "")


FORMATS = (
    Format(
        source="wandb",
        title="Weights & Biases transaction logs",
        names=("*.wandb",),
        claims=_claims,
        open=lazy("lossmon.readers.wandb.reader:WandbReader"),
        rank=Rank.BLOCKS,
        origin=_origin,
        load_media=lazy("lossmon.readers.wandb.media:load_media"),
        no_metrics=("wandb-*.json", "conda-environment.yaml"),
        directories=DirectoryRules(
            parts=frozenset({"wandb"}), run=r"(?:offline-)?run-\d{8}_\d{6}-"
        ),
    ),
)
