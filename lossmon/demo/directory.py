"""Where a demo training may write."""

from __future__ import annotations

from pathlib import Path

from lossmon.errors import ConfigError

LOG = "train.log"
"""The text log: the one file that may be there before the training starts, for its errors."""


def prepare(out: Path) -> None:
    """Make the directory of a run.

    Raises:
        ConfigError: It cannot be made, or holds something: a run is never overwritten.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        occupied = any(path.name != LOG for path in out.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot write a demo run to {out}: {error.strerror}") from error
    if occupied:
        raise ConfigError(f"{out} is not empty: choose a new directory for the demo run")
