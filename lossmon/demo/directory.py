"""Directory of a demo training."""

from __future__ import annotations

from pathlib import Path

from lossmon.errors import ConfigError

LOG = "train.log"
"""Text log, the only file that may exist before the training starts, for its errors."""


def prepare(out: Path) -> None:
    """Create the directory of a run.

    Raises:
        ConfigError: It cannot be created, or is not empty: a run is never overwritten.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        occupied = any(path.name != LOG for path in out.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot write a demo run to {out}: {error.strerror}") from error
    if occupied:
        raise ConfigError(f"{out} is not empty: choose a new directory for the demo run")
