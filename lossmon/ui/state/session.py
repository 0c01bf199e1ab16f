"""Session: what the views keep from one opening to the next, made when first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.types import AmbiguousTag, MetricNames, RunSnapshot

if TYPE_CHECKING:
    from lossmon.ui.state.ratings import Ratings
    from lossmon.ui.state.tag_answers import TagAnswers


class Session:
    """Ratings, tag answers and letters of runs of one start of the screen.

    Args:
        state: The user's directory of what is remembered; None keeps nothing.
        settings: The settings file that tag answers are written into; None writes none.
        names: The user's metric names, as the settings have them.
        set_metric_names: Called with all of the user's metric names when they changed.
        may_write: Whether files of this machine may be written; asked when first needed.
    """

    def __init__(
        self,
        state: Path | None,
        settings: Path | None,
        names: MetricNames,
        set_metric_names: Callable[[MetricNames], None],
        may_write: Callable[[], bool],
    ) -> None:
        self._state, self._settings, self._names = state, settings, names
        self._set_metric_names, self._may_write = set_metric_names, may_write
        self._tag_answers: TagAnswers | None = None

    @cached_property
    def ratings(self) -> Ratings:
        """Ratings of model outputs."""
        from lossmon.ui.state.ratings import Ratings

        return Ratings(self._state if self._may_write() else None)

    @cached_property
    def letters(self) -> RunLetters:
        """Letters and colours of compared runs."""

        return RunLetters()

    @property
    def tag_answers(self) -> TagAnswers:
        """What the user said about ambiguous tags."""
        if self._tag_answers is None:
            from lossmon.ui.state.tag_answers import TagAnswers

            file = self._settings if self._may_write() else None
            self._tag_answers = TagAnswers(self._names, file, self._set_metric_names)
        return self._tag_answers

    def unlabelled(self, run: RunSnapshot | None) -> tuple[AmbiguousTag, ...]:
        """Ambiguous tags of a run that were neither answered nor skipped."""
        if run is None:
            return ()
        return run.ambiguous_tags if self._tag_answers is None else self._tag_answers.open(run)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why an answer could not be written, if one could not."""
        answers = self._tag_answers
        return (answers.error,) if answers is not None and answers.error else ()


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
