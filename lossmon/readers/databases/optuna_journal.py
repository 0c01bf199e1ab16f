"""Reader for Optuna's journal: one operation per line, of all studies and trials in turn."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.fast_dataclass import dataclass
from lossmon.readers.databases.optuna_study import (
    MAXIMIZE,
    MINIMIZE,
    LoggedValue,
    ended,
    quiet_from,
    reported_tag,
    setting,
    trial_counts,
    trial_name,
    trial_value,
)
from lossmon.readers.databases.rows import MOST_SETTINGS, as_name, as_step
from lossmon.readers.files.lines import LineTail
from lossmon.readers.files.tail import read_until
from lossmon.readers.format import MOST_RUNS, ContainedRun, lead
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import MOST_TAGS
from lossmon.readers.records.json_records import parse_line
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number, written_moment
from lossmon.types import Batch, Facts

_STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")
_MAXIMIZED = 2
_MOST_OBJECTIVES = 100


@dataclass(slots=True)
class JournalRun:
    """A study or a trial as far as the journal was read.

    Attributes:
        name: Name of a study.
        directions: Direction of each objective of a study.
        study: Index of a trial's study among all studies, -1 for a study.
        trial: Number of a trial in its study, -1 for a study.
        started: Seconds since the Unix epoch, NaN if unknown.
        values: Intermediate values of a trial, or final values of the trials of a study.
        facts: What is known about it.
        state: State of a trial in Optuna.
        result: Final value of a trial for the first objective, NaN before it ended.
        ended: Seconds since the Unix epoch at which a trial ended, NaN before.
        deleted: It was deleted.
        key: Unique among the runs of the journal.
    """

    name: str = ""
    directions: tuple[str, ...] = (MINIMIZE,)
    study: int = -1
    trial: int = -1
    started: float = math.nan
    values: list[LoggedValue] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    state: str = "RUNNING"
    ended: float = math.nan
    result: float = math.nan
    deleted: bool = False
    key: str = ""


class JournalOperations:
    """Result of the operations so far.

    Attributes:
        studies: In the order in which they were created, deleted ones included.
        trials: Of all studies, likewise: the journal counts them.
        runs: All of them by their keys.
        skipped: Records that were not operations, or referred to nothing that exists.
    """

    def __init__(self) -> None:
        self.studies: list[JournalRun] = []
        self.trials: list[JournalRun] = []
        self.runs: dict[str, JournalRun] = {}
        self.skipped = 0
        self._counts: dict[int, int] = {}

    def apply(self, record: Mapping[str, object]) -> None:
        """Apply one operation; those without an effect on what is shown are ignored."""
        match _index(record, "op_code"):
            case None:
                self.skipped += 1
            case 0:
                self._create_study(record)
            case 1 if study := _at(self.studies, record, "study_id"):
                study.deleted = True
            case 4 if _at(self.studies, record, "study_id"):
                self._create_trial(record)
            case 5 if trial := _at(self.trials, record, "trial_id"):
                _set_parameter(trial, record)
            case 6 if trial := _at(self.trials, record, "trial_id"):
                self._set_state(trial, record)
            case 7 if trial := _at(self.trials, record, "trial_id"):
                self._report(trial, record)
            case 1 | 4 | 5 | 6 | 7:
                self.skipped += 1

    def facts(self, run: JournalRun) -> Facts:
        """Return what is known about a study or a trial at this moment."""
        if run.trial >= 0:
            return run.facts
        trials = [one for one in self.trials if self.studies[one.study] is run]
        end = quiet_from((one.state, one.ended) for one in trials)
        # The value of a pruned trial is merely the last one that it reported.
        done = {one.trial: one.result for one in trials if one.state == "COMPLETE"}
        choice = max if run.directions[0] == MAXIMIZE else min
        results = {trial: result for trial, result in done.items() if not math.isnan(result)}
        return replace(
            run.facts,
            finished=end is not None and time.time() >= end,
            trials=trial_counts(Counter(one.state for one in trials)),
            best_step=choice(results, key=results.__getitem__, default=None),
        )

    def _create_study(self, record: Mapping[str, object]) -> None:
        listed = record.get("directions")
        codes = listed[:_MOST_OBJECTIVES] if isinstance(listed, list) and listed else [1]
        directions = tuple(MAXIMIZE if code == _MAXIMIZED else MINIMIZE for code in codes)
        name = as_name(record.get("study_name"))
        facts = Facts(name=name or None, settings={"direction": ", ".join(directions)})
        study = JournalRun(name, directions, facts=facts, key=f"study {len(self.studies)}")
        self.studies.append(study)
        self.runs[study.key] = study

    def _create_trial(self, record: Mapping[str, object]) -> None:
        study = _index(record, "study_id") or 0
        place = self._counts[study] = self._counts.get(study, -1) + 1
        started = written_moment(str(record.get("datetime_start")))
        key = f"study {study} trial {place}"
        facts = Facts(started=started)
        trial = JournalRun(study=study, trial=place, started=started, facts=facts, key=key)
        self.trials.append(trial)
        self.runs[key] = trial

    def _set_state(self, trial: JournalRun, record: Mapping[str, object]) -> None:
        code = _index(record, "state")
        if code is None or not 0 <= code < len(_STATES):
            return
        when = written_moment(str(record.get("datetime_complete")))
        trial.state, trial.ended = _STATES[code], when
        trial.facts = replace(
            ended(_STATES[code]), started=trial.started, settings=trial.facts.settings
        )
        study = self.studies[trial.study]
        values = record.get("values")
        for objective, value in enumerate(values if isinstance(values, list) else ()):
            final = number(value)
            if final is not None and objective < len(study.directions):
                point = trial_value(study.directions, objective, trial.trial, final, when)
                study.values.append(point)
                trial.result = final if objective == 0 else trial.result

    def _report(self, trial: JournalRun, record: Mapping[str, object]) -> None:
        value = number(record.get("intermediate_value"))
        if value is not None:
            tag = reported_tag(self.studies[trial.study].directions[0])
            trial.values.append(LoggedValue(tag, as_step(record.get("step")), math.nan, value))


def _set_parameter(trial: JournalRun, record: Mapping[str, object]) -> None:
    settings = dict(trial.facts.settings)
    if len(settings) < MOST_SETTINGS:
        name = clean_name(str(record.get("param_name")))
        settings[name] = setting(record.get("param_value_internal"), record.get("distribution"))
        trial.facts = replace(trial.facts, settings=settings)


def _index(record: Mapping[str, object], name: str) -> int | None:
    value = record.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _at(runs: list[JournalRun], record: Mapping[str, object], name: str) -> JournalRun | None:
    place = _index(record, name)
    return runs[place] if place is not None and 0 <= place < len(runs) else None


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
