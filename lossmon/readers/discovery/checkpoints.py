"""Checkpoints by the names that frameworks give them; their contents are never touched."""

from __future__ import annotations

import re
from typing import NamedTuple

from lossmon.lazy_pattern import lazy_pattern

_DIRECTORY = lazy_pattern(r"^(?:checkpoint|ckpt|global_step|step|iter)[-_]?(\d+)$")
_FILE = re.compile(
    r"^(?:(?:checkpoint|ckpt|step|iter|epoch)[-_]?(\d+)|model_(\d{4,})|"
    r".*(?:^|[-_.])(?:global_)?step[-_=]?(\d+).*)"
    r"\.(?:pt|pth|ckpt|safetensors|bin|weights|index|npz)$"
)
CHECKPOINT_NAME = lazy_pattern(f"{_DIRECTORY.pattern}|{_FILE.pattern}")
"""Any name that can be a checkpoint's."""


class FoundCheckpoint(NamedTuple):
    """A checkpoint on disk.

    Attributes:
        directory: Where it lies.
        step: Step in its name.
        name: Its name.
        history: First record of the history that it holds, or empty.
    """

    directory: str
    step: int
    name: str
    history: str = ""


def checkpoint_step(name: str, *, directory: bool) -> int | None:
    """Step in the name of a checkpoint, None where the name is not one.

    A file named after its epoch (`epoch_8.pth`) gives the epoch.
    """
    match = (_DIRECTORY if directory else _FILE).match(name)
    if match is None:
        return None
    return int(next(group for group in match.groups() if group))
