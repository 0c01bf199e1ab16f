"""Letters of compared runs: which letter, and so which colour, each run has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

MOST = 8
"""Runs that are compared at once: as many as there are colours."""

LETTERS = "abcdefgh"


class RunLetters:
    """Gives each compared run a letter, which it keeps while others come and go."""

    def __init__(self) -> None:
        self._places: dict[Path, int] = {}

    def of(self, paths: Sequence[Path]) -> dict[Path, int]:
        """Index into `LETTERS` for each of at most eight runs, by path."""
        for path in paths:
            if path in self._places:
                continue
            held = set(self._places.values())
            free = next((place for place in range(MOST) if place not in held), None)
            if free is None:
                # All letters were given: take one of a run that is no longer compared.
                gone = next(old for old in self._places if old not in paths)
                free = self._places.pop(gone)
            self._places[path] = free
        return {path: self._places[path] for path in paths}
