"""Weights & Biases transaction logs (`run-<id>.wandb`)."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.format import DirectoryRules, Format, Rank, lazy

MAGIC = b":W&B\xe1\xbe"


def _claims(_: Path, head: bytes) -> bool:
    return head.startswith(MAGIC[: len(head)])


FORMATS = (
    Format(
        source="wandb",
        title="Weights & Biases transaction logs",
        names=("*.wandb",),
        claims=_claims,
        open=lazy("lossmon.readers.wandb.reader:WandbReader"),
        rank=Rank.BLOCKS,
        no_metrics=("wandb-*.json", "conda-environment.yaml"),
        directories=DirectoryRules(
            parts=frozenset({"wandb"}), run=r"(?:offline-)?run-\d{8}_\d{6}-"
        ),
    ),
)
