"""Names of the columns in structured logs: which of them count steps or epochs."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from lossmon.sanitize import one_line

STEP_NAMES = (
    "step",
    "global_step",
    "current_steps",
    "iteration",
    "iter",
    "num_updates",
    "trainer/global_step",
    "train/global_step",
    "_step",
    "total_timesteps",
    "time/total_timesteps",
    "training_iteration",
    "steps",
    "global_steps",
    "global_iter",
    "global_iteration",
    "iterations",
    "iters",
    "it",
    "update",
    "updates",
    "num_steps",
    "optimizer_step",
    "optim_step",
    "opt_step",
    "train_step",
    "train_steps",
    "train/step",
    "train/steps",
    "training_step",
    "n_iter",
    "num_iter",
    "time/step",
)
"""Spellings of the optimizer step, the surest first, as `plain` gives them."""

EPOCH_NAMES = ("epoch", "train/epoch", "trainer/epoch", "epochs", "current_epoch", "ep")
"""Spellings of the epoch, the surest first."""

LONGEST_NAME = 200
"""Characters of a name that are kept: longer ones are not names."""

_BLANKS = re.compile(r"[\s\-]+")


@lru_cache(4096)
def plain(name: str) -> str:
    """Return a name in lower case, its words joined by `_`, for look-up in a table."""
    return _BLANKS.sub("_", name.strip().lower())


@lru_cache(4096)
def clean_name(name: str) -> str:
    """Return a name fit for a tag: no control characters, no outer blanks, bounded length."""
    return one_line(name, LONGEST_NAME).strip()


def name_below(path: Path, folder: str) -> str:
    """Return the names of the directories below one and of the file, joined by `/`.

    Empty if the file does not lie below a directory of that name.
    """
    parts = path.parts
    if folder not in parts[:-1]:
        return ""
    start = len(parts) - parts[::-1].index(folder)
    return clean_name("/".join(parts[start:]))
