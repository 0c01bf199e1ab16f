"""Answers about ambiguous tags: they hold at once, and are written into the settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lossmon.errors import ConfigError
from lossmon.fast_dataclass import dataclass
from lossmon.toml.edit import rewrite
from lossmon.types import METRIC_WORDS, AmbiguityReason, AmbiguousTag, MetricNames, RunSnapshot


@dataclass(frozen=True, slots=True)
class Said:
    """An answer.

    Attributes:
        run: Directory or file of the run that was in view.
        meaning: Name or word of `[metrics]`.
    """

    run: Path
    meaning: str


class TagAnswers:
    """The answers from a start of the screen to its end.

    Args:
        file: Where answers are written; None keeps them until the end alone.
        publish: Called with all that is said of names whenever that has changed.
    """

    def __init__(
        self, names: MetricNames, file: Path | None, publish: Callable[[MetricNames], None]
    ) -> None:
        self._names = {
            name: (tags,) if isinstance(tags, str) else tags for name, tags in names.items()
        }
        self.file = file
        self._publish = publish
        self.said: dict[str, Said] = {}
        """Answers by tag, in the order they were first given."""
        self._skipped: set[str] = set()
        self._unwritten: list[tuple[bool, str, str]] = []
        """Changes to write to the file: whether the tag is added or removed, name, tag."""
        self.error = ""
        """Why the last answer could not be written, or empty."""

    def open(self, run: RunSnapshot) -> tuple[AmbiguousTag, ...]:
        """The names of a run that may still be asked for."""
        return tuple(one for one in run.ambiguous_tags if self.is_open(run, one))

    def is_open(self, run: RunSnapshot, unclear: AmbiguousTag) -> bool:
        """Whether a name was neither answered nor skipped, nor settled by another answer."""
        if unclear.tag in self.said or unclear.tag in self._skipped:
            return False
        given = self._given(run)
        if unclear.reason is AmbiguityReason.NO_LOSS:
            return not given.issuperset(unclear.candidates)
        # The run is about to be read with the answer: what that settles is not asked.
        return unclear.candidates[0] not in given

    def likely(self, run: RunSnapshot, unclear: AmbiguousTag) -> str:
        """What a name most likely means, beside what was said of others."""
        given = self._given(run)
        return next((one for one in unclear.candidates if one not in given), unclear.candidates[0])

    def _given(self, run: RunSnapshot) -> set[str]:
        return {said.meaning for said in self.said.values() if said.run == run.path}

    def skip(self, tag: str) -> None:
        """Do not ask for a name again until the next start."""
        self._skipped.add(tag)

    def answer(self, run: RunSnapshot, tag: str, meaning: str) -> None:
        """Say what a series of a run is; what was said of it before holds no longer.

        Args:
            tag: Raw name of the series.
            meaning: A canonical name that the settings know, or one of
                `METRIC_WORDS`.
        """
        logged = {one.tag for one in run.series}
        gone = [(name, tag) for name, tags in self._names.items() if tag in tags]
        if meaning not in METRIC_WORDS:
            # A run has one train loss; that of another run keeps its place.
            gone += [(meaning, one) for one in self._names.get(meaning, ()) if one in logged]
        gone = [one for one in dict.fromkeys(gone) if one != (meaning, tag)]
        for name, old in gone:
            self._names[name] = tuple(one for one in self._names[name] if one != old)
            if self.said.pop(old, None) and old != tag:
                self._skipped.add(old)
        self._names[meaning] = (
            *(one for one in self._names.get(meaning, ()) if one != tag),
            tag,
        )
        self.said[tag] = Said(run.path, meaning)
        self._publish({name: tags for name, tags in self._names.items() if tags})
        self._unwritten += [(False, *one) for one in gone]
        self._unwritten.append((True, meaning, tag))
        self._write()

    def _write(self) -> None:
        self.error = ""
        if self.file is None:
            return

        def change(text: str) -> str:
            # Imports a parser of TOML that keeps comments, for those who answer alone.
            from lossmon.toml.edit import with_word, without_word

            for is_added, name, tag in self._unwritten:
                edit = with_word if is_added else without_word
                text = edit(text, "metrics", name, tag)
            return text

        try:
            rewrite(self.file, change)
            self._unwritten.clear()
        except ConfigError as error:
            self.error = f"{error}; the labels are kept until you quit"
