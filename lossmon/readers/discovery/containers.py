"""Files that hold several runs, each opened once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lossmon.errors import internal_error
from lossmon.readers.discovery.found import FoundFile
from lossmon.readers.format import ContainedRun, Format, RunContainer, lead

Contained = tuple[ContainedRun, FoundFile]
"""A run of a file that holds several, its name unlike all others there, and the file with a format
that opens that run."""

_Key = tuple[str, str]
"""Path of a file and source of its format."""


class RunContainers:
    """Opens each file that holds several runs once, and remembers what is in it."""

    def __init__(self) -> None:
        self._open: dict[_Key, RunContainer] = {}
        self._formats: dict[tuple[_Key, str], Format] = {}
        self._seen: dict[_Key, tuple[tuple[str, str], ...]] = {}
        self._broken: dict[_Key, str] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""
        own = (note for container in self._open.values() for note in container.notes)
        return (*own, *self._broken.values())

    def changed(self) -> bool:
        """Whether any file holds other runs than it did."""
        return any([self._has_changed(key) for key in list(self._open)])

    def _has_changed(self, key: _Key) -> bool:
        try:
            return _names(self._open[key].runs()) != self._seen[key]
        except BaseException as error:
            self._give_up(key, error)
            return True

    def _give_up(self, key: _Key, error: BaseException) -> None:
        self._open.pop(key, None)
        self._broken[key] = f"{key[0]}: {internal_error(error)}; the file is skipped"

    def runs(self, file: FoundFile) -> list[Contained]:
        """Return the runs of a file, as `RunContainer.runs` orders them."""
        key = (str(file.path), file.format.source)
        if key in self._broken:
            return []
        try:
            return self._runs(file, key)
        except BaseException as error:
            self._give_up(key, error)
            return []

    def _runs(self, file: FoundFile, key: _Key) -> list[Contained]:
        container = self._open.get(key)
        if container is None:
            if file.format.container is None:
                return []
            container = self._open[key] = file.format.container(file.path)
        runs = container.runs()
        self._seen[key] = _names(runs)
        return [
            (run, replace(file, format=self._format(file, key, container, run.key), part=run.key))
            for run in _told_apart(runs)
        ]

    def _format(self, file: FoundFile, key: _Key, container: RunContainer, run: str) -> Format:
        """The format that opens one run: the very same object each time."""
        if (key, run) not in self._formats:
            self._formats[key, run] = replace(
                file.format, open=lambda _: container.open(run), container=None
            )
        return self._formats[key, run]


def _names(runs: Sequence[ContainedRun]) -> tuple[tuple[str, str], ...]:
    return tuple((run.key, run.name) for run in runs)


def _told_apart(runs: Iterable[ContainedRun]) -> Iterator[ContainedRun]:
    """The runs with unique names; later ones of the same name get a part of their key."""
    taken: set[str] = set()
    for run in runs:
        name = run.name or run.key
        yield replace(run, name=name if name not in taken else f"{name} ({run.key[:8]})")
        taken.add(name)


def leading(files: Iterable[Sequence[Contained]]) -> Contained | None:
    """Return the run that stands for several such files: that of the one begun last."""
    leads = (
        next((one for one in runs if one[0] is first), None)
        for runs in files
        if (first := lead([run for run, _ in runs])) is not None
    )
    found = [one for one in leads if one is not None]
    return max(found, key=_started, default=None)


def _started(contained: Contained) -> float:
    started = contained[0].started
    return started if math.isfinite(started) else -math.inf
