"""What commands have in common: settings from all origins, paths that are there, a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lossmon.commands.locations import Address, Location
from lossmon.config import Config, Value, config_directory, load
from lossmon.errors import ConfigError

NO_METRICS = 3
"""Exit status where there was nothing to judge."""


def settings_of(options: argparse.Namespace) -> Config:
    """Join the flags with the settings file and the environment.

    Raises:
        ConfigError: A setting is wrong.
    """
    flags: dict[str, Value | None] = {
        name: getattr(options, name)
        for name in ("theme", "smoothing", "x_axis", "log_y", "lang", "charset", "sensitivity")
        if hasattr(options, name)
    }
    if getattr(options, "no_hardware", False):
        flags["hardware"] = False
    file: Path | None = getattr(options, "config", None)
    if file is not None and not file.is_file():
        wrong = "is no file" if file.exists() else "there is no such file"
        raise ConfigError(f"--config {file}: {wrong}")
    # The home of somebody else, after `su` or `sudo`, holds no settings for us.
    usual = config_directory() / "config.toml"
    return load(file or (usual if os.access(usual, os.R_OK) else None), os.environ, flags)


def existing(locations: Sequence[Location]) -> list[Path]:
    """The paths, if all are there and may be looked into.

    Raises:
        ConfigError: One is not, or is an address of another machine; says which.
    """
    paths = [one for one in locations if isinstance(one, Path)]
    for address in (one for one in locations if isinstance(one, Address)):
        raise ConfigError(f"{address}: this command takes paths of this machine only")
    for path in paths:
        try:
            fault = _fault(path)
        except OSError as error:
            fault = error.strerror or str(error)
        if fault:
            raise ConfigError(f"{path}: {fault}")
    return paths


def _fault(path: Path) -> str:
    """Why a path cannot be watched, or nothing."""
    if not path.exists():
        linked = path.is_symlink()
        return "this link points nowhere" if linked else "there is no such file or directory"
    if not (path.is_dir() or path.is_file()):
        return "is neither a file nor a directory"
    readable = os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
    return "" if readable else "may not be read by this user"


def no_metrics(paths: Sequence[object]) -> int:
    """Say that nothing was found, and what would be; return the exit status."""
    from lossmon.readers.registry import recognised

    shown = ", ".join(str(path) for path in paths)
    print(f"lossmon: no metrics found in {shown}", file=sys.stderr)
    print("lossmon explain says of each file why it is not read", file=sys.stderr)
    print(f"lossmon reads: {'; '.join(recognised())}", file=sys.stderr)
    return NO_METRICS


def has_terminal() -> bool:
    """Whether there is a screen to draw on."""
    # In a browser the terminal is at the other end of a pipe that textual-serve holds.
    served = "TEXTUAL_DRIVER" in os.environ
    return served or (sys.stdout.isatty() and sys.stdin.isatty())


def need_terminal(instead: str) -> None:
    """Raise a `ConfigError` that says what to do instead, where there is no screen."""
    if not has_terminal():
        raise ConfigError(f"this is no terminal; {instead}")
