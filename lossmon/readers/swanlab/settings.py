"""Reader for the settings of a SwanLab run."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.settings.reader import SettingsReader
from lossmon.readers.settings.yaml import settings
from lossmon.types import Facts


def _facts(path: Path, text: str) -> Facts:
    """Each setting comes with its description and its place in a list."""
    return facts_of(
        {
            ".".join((place[0], *place[2:])): value
            for place, value in settings(text).items()
            if len(place) > 1 and place[1] == "value"
        }
    )


def open_settings(path: Path) -> SettingsReader:
    """Return a reader of `config.yaml`."""
    return SettingsReader(path, "swanlab", _facts)
