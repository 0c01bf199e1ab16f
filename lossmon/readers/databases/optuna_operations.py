"""Studies and trials that result from the operations in Optuna's journal."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import field, replace

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
    trial_value,
)
from lossmon.readers.databases.rows import MOST_SETTINGS, as_name, as_step
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number, written_moment
from lossmon.types import Facts

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
