"""Reader for Optuna's journal: one operation per line, of all studies and trials in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.databases.optuna_operations import JournalOperations, JournalRun
from lossmon.readers.databases.optuna_study import trial_name
from lossmon.readers.files.lines import LineTail
from lossmon.readers.files.tail import read_until
from lossmon.readers.format import MOST_RUNS, ContainedRun, lead
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import MOST_TAGS
from lossmon.readers.records.json_records import parse_line
from lossmon.types import Batch, Facts

REFRESH = 0.05
"""Seconds of reading per refresh: a journal may hold hundreds of thousands of operations."""


class OptunaJournal:
    """The studies and trials of one journal: a `RunContainer`.

    Attributes:
        path: The journal.
        life: Number of times that the journal started over.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.life = 0
        self._tail = LineTail(path)
        self._operations = JournalOperations()

    @property
    def pending(self) -> int:
        """Bytes known to be unread."""
        return self._tail.pending

    @property
    def notes(self) -> Sequence[str]:
        """How many trials are not followed, and how many records were not operations."""
        found = []
        if sum(bool(trial.values) for trial in self._operations.trials) > MOST_RUNS:
            found.append(f"{self.path.name}: only the newest {MOST_RUNS:,} trials are followed")
        if self._operations.skipped:
            found.append(
                f"{self.path.name}: records that are not operations: {self._operations.skipped:,}"
            )
        return found

    def runs(self) -> Sequence[ContainedRun]:
        """Return the studies, the newest first, each before its trials, the newest first."""
        # Its readers run into the same error and report it.
        with suppress(ReadError, OSError):
            self.refresh(time.monotonic() + REFRESH)
        return tuple(self._known())

    def _known(self) -> Iterator[ContainedRun]:
        reporting = [trial for trial in self._operations.trials if trial.values][-MOST_RUNS:]
        studies = [
            (index, study)
            for index, study in enumerate(self._operations.studies)
            if not study.deleted
        ]
        for index, study in reversed(studies):
            yield ContainedRun(study.key, study.name, overview=True)
            for trial in reversed(reporting):
                if trial.study == index:
                    name = trial_name(study.name, trial.trial, len(studies) == 1)
                    yield ContainedRun(trial.key, name, trial.started)

    def refresh(self, deadline: float) -> None:
        """Apply what was written since the last refresh, until a `time.monotonic()` value.

        Raises:
            ReadError: It may not be read, or is not a regular file.
        """
        for chunk in read_until(self._tail, deadline):
            if self._tail.replaced:
                self.life += 1
                self._operations = JournalOperations()
            for line in chunk.lines():
                for record in parse_line(line.text).records:
                    self._operations.apply(record)

    def run(self, key: str) -> JournalRun | None:
        """Return a study or a trial as far as it is known."""
        return self._operations.runs.get(key)

    def facts(self, run: JournalRun) -> Facts:
        """Return what is known about a study or a trial at this moment."""
        return self._operations.facts(run)

    def open(self, key: str) -> JournalReader:
        """Return a reader of one run, from its first point on."""
        return JournalReader(self, key)


class JournalReader:
    """Reads one study or trial of a journal.

    Args:
        journal: The journal.
        key: The run; None for the one that stands for the journal when it is first read.
    """

    source = "optuna_journal"

    def __init__(self, journal: OptunaJournal, key: str | None = None) -> None:
        self.path = journal.path
        self._journal = journal
        self._key = key
        self._life = -1
        self._count = 0
        """Values that earlier calls returned."""
        self._facts = Facts()
        self._batch = BatchBuilder(MOST_TAGS)

    def read(self, deadline: float) -> Batch:
        """Return what was reported since the last call.

        Raises:
            ReadError: The journal may not be read.
        """
        journal, batch = self._journal, self._batch
        journal.refresh(deadline)
        if self._key is None:
            first = lead(journal.runs())
            self._key = None if first is None else first.key
        run = journal.run(self._key) if self._key else None
        if run is None:
            return Batch(pending=journal.pending)
        if self._life != journal.life:
            if self._life != -1:
                batch.restart()
            self._life, self._count, self._facts = journal.life, 0, Facts()
        values = run.values[self._count :]
        self._count = len(run.values)
        for value in values:
            batch.points.add(*value)
        facts = journal.facts(run)
        if values or facts != self._facts:
            batch.facts.append(facts)
        self._facts = facts
        return batch.drain(journal.pending)


def open_journal(path: Path) -> JournalReader:
    """Return a reader of the run that stands for the journal."""
    return JournalReader(OptunaJournal(path))
