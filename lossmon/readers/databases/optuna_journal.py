"""Optuna's journal: one operation on a study a line, of all studies and trials in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.databases.optuna_operations import JournalRun, Operations
from lossmon.readers.databases.optuna_study import trial_name
from lossmon.readers.databases.rows import as_points
from lossmon.readers.files.lines import LineTail
from lossmon.readers.format import MOST_RUNS, ContainedRun, lead
from lossmon.readers.records.json_records import parse_line
from lossmon.types import Batch, Facts

LOOK = 0.05
"""Seconds of reading at one look: a journal may hold hundreds of thousands of operations."""


class Journal:
    """The studies and trials of one journal: a `RunContainer`.

    Args:
        path: The journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.life = 0
        """Counts how often the journal began anew."""
        self._tail = LineTail(path)
        self._operations = Operations()

    @property
    def pending(self) -> int:
        """Bytes that are known to be unread."""
        return self._tail.pending

    @property
    def notes(self) -> Sequence[str]:
        """How many trials are not followed, and what was no operation."""
        found = []
        if sum(bool(trial.values) for trial in self._operations.trials) > MOST_RUNS:
            found.append(f"{self.path.name}: only the newest {MOST_RUNS:,} trials are followed")
        if self._operations.skipped:
            found.append(
                f"{self.path.name}: records that are no operations: {self._operations.skipped:,}"
            )
        return found

    def runs(self) -> Sequence[ContainedRun]:
        """Return the studies, the newest first, and behind each its trials, the newest first."""
        try:
            self.look(time.monotonic() + LOOK)
        except (ReadError, OSError):
            # Its readers meet the same, and say so.
            return tuple(self._found())
        return tuple(self._found())

    def _found(self) -> Iterator[ContainedRun]:
        telling = [trial for trial in self._operations.trials if trial.values][-MOST_RUNS:]
        studies = [
            (place, study)
            for place, study in enumerate(self._operations.studies)
            if not study.deleted
        ]
        for place, study in reversed(studies):
            yield ContainedRun(study.key, study.name, overview=True)
            for trial in reversed(telling):
                if trial.study == place:
                    name = trial_name(study.name, trial.trial, len(studies) == 1)
                    yield ContainedRun(trial.key, name, trial.started)

    def look(self, deadline: float) -> None:
        """Take in what was written since the last look, until a `time.monotonic()` value.

        Raises:
            ReadError: It may not be read, or is not a regular file.
        """
        while (chunk := self._tail.chunk()) is not None:
            if self._tail.replaced:
                self.life += 1
                self._operations = Operations()
            for line in chunk.lines():
                for record in parse_line(line.text).records:
                    self._operations.apply(record)
            if time.monotonic() >= deadline:
                break

    def run(self, key: str) -> JournalRun | None:
        """Return a study or a trial as far as it is known."""
        return self._operations.runs.get(key)

    def facts(self, run: JournalRun) -> Facts:
        """How a study or a trial is doing at this moment."""
        return self._operations.facts(run)

    def open(self, key: str) -> JournalReader:
        """Return a reader of one run that begins with its first point."""
        return JournalReader(self, key)


class JournalReader:
    """Reads one study or trial of a journal.

    Args:
        journal: The journal.
        key: The run; None for the one that speaks for the journal when it is first read.
    """

    source = "optuna_journal"

    def __init__(self, journal: Journal, key: str | None = None) -> None:
        self.path = journal.path
        self._journal = journal
        self._key = key
        self._life = -1
        self._given = 0
        self._order = 0
        self._facts = Facts()

    def read(self, deadline: float) -> Batch:
        """Return what was reported since the last call.

        Raises:
            ReadError: The journal may not be read.
        """
        journal = self._journal
        journal.look(deadline)
        if self._key is None:
            first = lead(journal.runs())
            self._key = None if first is None else first.key
        run = journal.run(self._key) if self._key else None
        if run is None:
            return Batch(pending=journal.pending)
        anew = self._life not in (-1, journal.life)
        if self._life != journal.life:
            self._life, self._given, self._facts = journal.life, 0, Facts()
        values = run.values[self._given :]
        points = tuple(as_points(values, self._order))
        self._given, self._order = len(run.values), self._order + len(values)
        now = journal.facts(run)
        facts = (now,) if values or now != self._facts else ()
        self._facts = now
        return Batch(points, facts=facts, replaced=anew, pending=journal.pending)


def open_journal(path: Path) -> JournalReader:
    """Return a reader of the run that stands for the journal."""
    return JournalReader(Journal(path))
