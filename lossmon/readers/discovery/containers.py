"""The files that hold several runs, and which of those runs go where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.detection import DetectedFile
from lossmon.readers.format import ContainedRun, Format, RunContainer, lead


@dataclass(frozen=True, slots=True)
class LocatedRun:
    """One run of a file that holds several.

    Attributes:
        claim: The file, with a format that opens this run.
        part: The run.
        name: What it is called: nothing else in the file is called so.
    """

    claim: DetectedFile
    part: ContainedRun
    name: str


class RunContainers:
    """Opens each file that holds several runs once, and remembers what is in it."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[str, str], RunContainer] = {}
        self._formats: dict[tuple[str, str, str], Format] = {}
        self._told: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        self._broken: dict[tuple[str, str], str] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""
        own = (note for shelf in self._shelves.values() for note in shelf.notes)
        return (*own, *self._broken.values())

    def grew(self) -> bool:
        """Whether any file holds other runs than it did."""
        return any([self._has_grown(key) for key in list(self._shelves)])

    def _has_grown(self, key: tuple[str, str]) -> bool:
        try:
            return _told(self._shelves[key]) != self._told[key]
        except Exception as error:
            self._give_up(key, error)
            return True

    def _give_up(self, key: tuple[str, str], error: Exception) -> None:
        self._shelves.pop(key, None)
        self._broken[key] = f"{key[0]}: {internal_error(error)}; the file is skipped"

    def slots(self, claim: DetectedFile) -> list[LocatedRun]:
        """The runs of a file, as `RunContainer.parts` orders them."""
        key = (claim.path, claim.format.source)
        if key in self._broken:
            return []
        try:
            return self._slots(claim, key)
        except Exception as error:
            self._give_up(key, error)
            return []

    def _slots(self, claim: DetectedFile, key: tuple[str, str]) -> list[LocatedRun]:
        shelf = self._shelves.get(key)
        if shelf is None:
            if claim.format.shelf is None:
                return []
            shelf = self._shelves[key] = claim.format.shelf(Path(claim.path))
        parts = shelf.parts()
        self._told[key] = tuple((part.key, part.name) for part in parts)
        return [
            LocatedRun(replace(claim, format=self._format(claim, shelf, part.key)), part, name)
            for part, name in zip(parts, _names(parts), strict=True)
        ]

    def _format(self, claim: DetectedFile, shelf: RunContainer, key: str) -> Format:
        """The format that opens one run: the very same object each time."""
        at = (claim.path, claim.format.source, key)
        if at not in self._formats:
            self._formats[at] = replace(claim.format, open=lambda _: shelf.open(key), shelf=None)
        return self._formats[at]


def _told(shelf: RunContainer) -> tuple[tuple[str, str], ...]:
    return tuple((part.key, part.name) for part in shelf.parts())


def _names(parts: Iterable[ContainedRun]) -> Iterator[str]:
    """What each run is called; of those of one name, the later ones get what tells them apart."""
    taken: set[str] = set()
    for part in parts:
        name = part.name or part.key
        yield name if name not in taken else f"{name} ({part.key[:8]})"
        taken.add(name)


def leading(slots: list[list[LocatedRun]]) -> LocatedRun | None:
    """The run that speaks for several such files: of the one that was begun last."""
    firsts = [(one, lead([slot.part for slot in one])) for one in slots]
    found = [
        next(slot for slot in one if slot.part is part) for one, part in firsts if part is not None
    ]
    return max(found, key=_begun, default=None)


def _begun(slot: LocatedRun) -> float:
    return slot.part.started if math.isfinite(slot.part.started) else -math.inf
