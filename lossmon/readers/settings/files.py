"""Files in which a tracker keeps the settings of a run, beside the file with its points."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.databases.rows import name_of
from lossmon.readers.files.json_file import parse_document
from lossmon.readers.files.lines import decode
from lossmon.readers.format import Format
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.settings.yaml import settings
from lossmon.types import Batch, Facts

RANK = 35
"""Better than what a text log says of the settings, and no points."""

_LARGEST = 1 << 20
"""Bytes that are read: an environment may be listed beside the settings."""

_SWANLAB = re.compile(r"^run-\d{8}_\d{6}-")
_CLEARML = re.compile(r"^offline-[0-9a-f]{8,}$")


class SettingsReader:
    """Reads a small file that is written as a whole.

    Args:
        path: The file.
        source: Name of the format family.
        told: What a text says, given its path too; None where it is not all there yet.
    """

    def __init__(self, path: Path, source: str, told: Callable[[Path, str], Facts | None]) -> None:
        self.path = path
        self.source = source
        self._told = told
        self._known = Facts()

    def read(self, deadline: float) -> Batch:
        """Return what the file says, if that is new.

        Raises:
            ReadError: The file may not be read.
        """
        try:
            with self.path.open("rb") as file:
                text = decode(file.read(_LARGEST))
        except (FileNotFoundError, NotADirectoryError):
            return Batch()
        except OSError as error:
            raise ReadError(f"{self.path}: {error.strerror or error}") from error
        facts = self._told(self.path, text)
        if facts is None or facts == self._known:
            return Batch()
        self._known = facts
        return Batch(facts=(facts,))


def _swanlab(path: Path, text: str) -> Facts:
    """`config.yaml` of SwanLab: each setting with its description and its place in a list."""
    said = settings(text)
    return facts_of(
        {
            ".".join((place[0], *place[2:])): value
            for place, value in said.items()
            if len(place) > 1 and place[1] == "value"
        }
    )


def _dvclive(path: Path, text: str) -> Facts:
    return facts_of({".".join(place): value for place, value in settings(text).items()})


def _clearml(path: Path, text: str) -> Facts | None:
    """`task.json` of ClearML; when a session ends, its directory is packed into an archive."""
    try:
        task = parse_document(text.encode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(task, dict):
        return None
    said: dict[str, object] = {}
    for section, settings_ in _mapping(task.get("hyperparams")).items():
        for name, one in _mapping(settings_).items():
            key = name if section == "General" else f"{section}/{name}"
            said[key] = _mapping(one).get("value")
    facts = facts_of({key: _counted(value) for key, value in said.items()})
    ended = path.parent.with_name(path.parent.name + ".zip").is_file()
    return Facts(
        name=name_of(task.get("name")) or None,
        total_steps=facts.total_steps,
        total_epochs=facts.total_epochs,
        finished=ended,
        settings=facts.settings,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _counted(value: object) -> object:
    """A number as ClearML writes it, as text, or the text."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value) else value


def _format(
    source: str,
    title: str,
    name: str,
    claims: Callable[[Path, bytes], bool],
    told: Callable[[Path, str], Facts | None],
) -> Format:
    return Format(
        source=source,
        title=title,
        names=(name,),
        claims=claims,
        open=lambda path: SettingsReader(path, source, told),
        rank=RANK,
    )


def _is_swanlab(path: Path, head: bytes) -> bool:
    return path.parent.name == "files" and bool(_SWANLAB.match(path.parent.parent.name))


def _is_clearml(path: Path, head: bytes) -> bool:
    return bool(_CLEARML.match(path.parent.name)) and head.lstrip().startswith(b"{")


def _is_dvclive(path: Path, head: bytes) -> bool:
    return (path.parent / "plots" / "metrics").is_dir()


FORMATS = (
    _format("swanlab", "SwanLab config.yaml", "config.yaml", _is_swanlab, _swanlab),
    _format("dvclive", "DVCLive params.yaml", "params.yaml", _is_dvclive, _dvclive),
    _format("clearml", "ClearML task.json", "task.json", _is_clearml, _clearml),
)
