"""Settings that a training program wrote as text into the directory of its run."""

from __future__ import annotations

import os
from pathlib import Path

from lossmon.readers.files.json_file import parse_document
from lossmon.readers.files.lines import decode
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.run_directories import CHECKPOINT
from lossmon.readers.settings.reader import settings as yaml_settings
from lossmon.regular_file import open_regular

NAMES = (
    "args.yaml",
    "args.yml",
    "args.json",
    "training_args.json",
    "hparams.yaml",
    "params.json",
    "params.yaml",
    "config.yaml",
    "config.yml",
    "config.json",
    ".hydra/config.yaml",
)
"""Where programs write their settings, those that say most of the training first."""

_LARGEST = 1 << 20
"""Bytes that are read of one file; a larger one holds more than settings."""

_MOST_FOLDERS = 16
"""Directories below that are looked into where the run's own holds none."""


def settings_beside(path: Path) -> dict[str, str]:
    """The settings in the text files of a run's directory; empty where there are none.

    Nothing but these names is opened, no link is followed, and nothing in them is executed. A
    file that is too large, broken or not to be read is stepped over. Levels are joined by dots;
    what two files say differently is taken from the first of `NAMES`.

    Args:
        path: The run's own directory, or its file.
    """
    folder = path if path.is_dir() else path.parent
    found = _settings_in(folder)
    if found or folder is not path:
        return found
    for below in _folders(folder):
        if found := _settings_in(below):
            return found
    return {}


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    folders = (
        name for name in sorted(names) if not name.startswith(".") and not CHECKPOINT.match(name)
    )
    return [folder / name for name, _ in zip(folders, range(_MOST_FOLDERS), strict=False)]


def _settings_in(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in NAMES:
        text = _text(folder / name)
        if text is not None:
            fresh = _of_json(text) if name.endswith("json") else _of_yaml(text)
            found = {**fresh, **found}
    return found


def _of_yaml(text: str) -> dict[str, str]:
    said = {".".join(place): value for place, value in yaml_settings(text).items()}
    return dict(facts_of(said).settings)


def _of_json(text: str) -> dict[str, str]:
    try:
        document = parse_document(text.encode())
    except (ValueError, RecursionError):
        return {}
    return dict(facts_of(document).settings) if isinstance(document, dict) else {}


def _text(path: Path) -> str | None:
    try:
        with open_regular(path, follow=False) as file:
            content = file.read(_LARGEST + 1)
    except OSError:
        return None
    return decode(content) if len(content) <= _LARGEST else None
