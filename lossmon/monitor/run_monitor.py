"""One run, followed: its files into the store, its points into the diagnosis."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from lossmon.errors import internal_error
from lossmon.monitor import run_state
from lossmon.monitor.ambiguous_tags import ambiguous_tags
from lossmon.monitor.diagnosis_feed import DiagnosisFeed
from lossmon.monitor.file_follower import FollowedFile, Identity, identity
from lossmon.monitor.notes import words
from lossmon.monitor.resumed_runs import is_left_behind
from lossmon.monitor.tag_overrides import TagOverrides
from lossmon.readers.discovery.discovery import FoundFile, FoundRun
from lossmon.readers.run_directories import TRACKED
from lossmon.readers.tags.meaning import meaning
from lossmon.store import RunStore
from lossmon.store.samples import SampleStore
from lossmon.types import (
    Axis,
    Batch,
    Best,
    Confidence,
    Diagnosis,
    Facts,
    Finding,
    Meaning,
    MetricNames,
    RunSnapshot,
    RunState,
    Series,
    Severity,
)

LOG_LINES = 500
"""Newest lines of the text log that are kept: several screens to scroll back."""


GONE = "its files are gone; what was read of them stays"
"""Told of a run of which no file is there any more: a curve that stands still needs a reason."""

_NUMBERED = re.compile(rf"{TRACKED.pattern}|^[0-9a-f]{{32}}$")
"""Directories that trackers name after the time and by chance."""


class RunMonitor:
    """Follows the files of one run. One thread calls it."""

    def __init__(
        self,
        found: FoundRun,
        *,
        names: MetricNames,
        sensitivity: float,
        clock: Callable[[], float],
    ) -> None:
        self._found = found
        self._numbered = _NUMBERED.match(found.path.name) is not None
        self._named = TagOverrides(names)
        self._clock = clock
        self._files: dict[str, FollowedFile] = {}
        self._next_number = 0
        self._turn = 0
        self._store = RunStore()
        self._judge = DiagnosisFeed(self._store, sensitivity)
        self._logs: dict[str, deque[str]] = {}
        self._log_name = ""
        self._samples = SampleStore()
        self._notes: dict[str, None] = {}
        self._is_gone = False
        self._advanced_live = False
        self._retold_by_files = False
        self._snapshot: RunSnapshot | None = None
        self._stamp = -1
        self._undescribed = -1
        self._vitals: tuple[run_state.RunVitals, run_state.StepRate]
        self._known_facts = (-1, Facts())
        self._changes = 0
        self.update(found)

    def update(self, found: FoundRun) -> None:
        """Take notice of files and checkpoints that appeared."""
        if found.checkpoints != self._found.checkpoints or found.name != self._found.name:
            self._changes += 1
        self._found = found
        listed = {_key(file): file for file in found.files}
        fresh = {name: file for name, file in listed.items() if name not in self._files}
        names = {file.path.name for file in fresh.values()}
        inodes = {identity(file.path) for file in fresh.values()}
        for name, followed in list(self._files.items()):
            if name not in listed and _is_superseded(followed, names, inodes):
                del self._files[name]
                self._store.clear(followed.number)
                self._samples.clear(followed.number)
                self._judge.retell()
        for name, file in fresh.items():
            self._follow(name, file)
        if fresh and not self._is_in_order(found):
            self._read_anew(listed)

    def miss(self, is_gone: bool) -> None:
        """Take notice that no file of the run is there any more, or that one is there again."""
        if is_gone is not self._is_gone:
            self._is_gone = is_gone
            self._changes += 1

    def _follow(self, name: str, file: FoundFile) -> None:
        self._files[name] = FollowedFile(self._next_number, file)
        self._next_number += 1
        self._changes += 1

    def _is_in_order(self, found: FoundRun) -> bool:
        """Whether the files of each source were numbered in the order in which they were begun."""
        newest: dict[tuple[str, int, str], int] = {}
        for file in found.files:
            stream = (file.format.source, file.format.rank, file.scope)
            number = self._files[_key(file)].number
            if number < newest.get(stream, -1):
                return False
            newest[stream] = number
        return True

    def _read_anew(self, listed: Mapping[str, FoundFile]) -> None:
        """Read all again: a file turned up that was begun before others, as a rotated log is."""
        for name, file in listed.items():
            number = self._files.pop(name).number
            self._store.clear(number)
            self._samples.clear(number)
            self._follow(name, file)
        self._judge.retell()

    def moved_to(self, inodes: set[Identity]) -> bool:
        """Whether the files of this run are gone from their place and among those given."""
        own = [file for file in self._files.values() if file.seen]
        return any(file.seen and file.seen.identity in inodes for file in own) and not any(
            file.found.path.exists() for file in own
        )

    @property
    def busy(self) -> bool:
        """Whether bytes are known to be unread or points unjudged."""
        return self._judge.busy or any(
            file.pending or (file.seen is None and not file.caught_up)
            for file in self._files.values()
        )

    @property
    def path(self) -> Path:
        """Its own directory or file."""
        return self._found.path

    @property
    def awaits_judgement(self) -> bool:
        """Whether all that is there was read and some of it was not judged."""
        return self._judge.busy and all(file.caught_up for file in self._files.values())

    @property
    def is_live(self) -> bool:
        """Whether it grew while it was watched."""
        return any(file.grew_at is not None for file in self._files.values())

    @property
    def written(self) -> int:
        """When one of its files was written last, in nanoseconds since the Unix epoch, or 0."""
        return max((file.seen.modified_ns for file in self._files.values() if file.seen), default=0)

    def read(self, deadline: float) -> None:
        """Read what is new in the files; returns soon after the deadline."""
        if self._retold_by_files:
            self._retold_by_files = False
            self._logs.clear()
            there = [file.found for file in self._files.values() if file.found.path.exists()]
            self._read_anew({_key(file): file for file in there})
        now = self._clock()
        files = list(self._files.values())
        # Begin where the last call ran out of time: a file that grows fast starves no other.
        for place in (*range(self._turn, len(files)), *range(min(self._turn, len(files)))):
            self._turn = place + 1
            self._read(files[place], deadline, now)
            if time.monotonic() > deadline:
                return

    def _read(self, file: FollowedFile, deadline: float, now: float) -> None:
        """Read one file; whatever goes wrong with it costs no other file."""
        try:
            batch = file.read(deadline, now)
            if batch is not None:
                self._take(file, batch)
        except Exception as error:
            file.fail(error)
            self._store.clear(file.number)
            self._samples.clear(file.number)
            self._judge.retell()
            self._changes += 1

    def _take(self, file: FollowedFile, batch: Batch) -> None:
        found = file.found
        source, rank = file.reader.source if file.reader else found.format.source, found.format.rank
        if batch.replaced:
            self._store.begin_anew(file.number)
            self._logs.pop(found.path.name, None)
            self._judge.retell()
        tags = {points.tag for points in batch.points}
        if self._named.see(tags | {f"{found.scope}/{tag}" for tag in tags if found.scope}):
            self._rename()
        for points in batch.points:
            what = self._meaning(points.tag, found.scope, source)
            self._store.add(file.number, source, rank, found.scope, points, what)
        for restart in batch.restarts:
            self._store.restart(file.number, source, rank, found.scope, restart)
        if batch.lines:
            # Where several logs grow, the one that spoke last is shown.
            self._log_name = found.path.name
            self._logs.setdefault(self._log_name, deque(maxlen=LOG_LINES)).extend(batch.lines)
        if batch.replaced or batch.samples:
            self._samples.take(file.number, batch.samples, anew=batch.replaced)
        self._notes.update(dict.fromkeys(f"{found.path.name}: {note}" for note in batch.notes))
        self._advanced_live |= file.grew_at is not None and bool(batch.points)
        self._changes += 1

    def set_metric_names(self, names: MetricNames) -> None:
        """Take what the user says of names; what changes is judged anew."""
        if self._named.tell(names):
            self._rename()
        self._changes += 1

    def _meaning(self, tag: str, scope: str, source: str) -> Meaning:
        return meaning(tag, scope=scope, source=source, overrides=self._named.known)

    def _rename(self) -> None:
        self._store.rename(self._meaning)
        self._judge.retell()
        # Where points were let go, only the files can tell all of it once more.
        self._retold_by_files |= self._store.is_thinned

    def judge(self, deadline: float) -> None:
        """Let the diagnosis hear what was read.

        The first telling waits until every file was read to its end once: which source leads,
        and so the order of the points, is known only then.
        """
        if not all(file.caught_up for file in self._files.values()):
            return
        try:
            self._changes += self._judge.listen(self._facts(), deadline)
        except Exception as error:
            self._judge.fail(error)
            self._changes += 1

    def _facts(self) -> Facts:
        if self._known_facts[0] != self._changes:
            self._known_facts = (self._changes, self._merged_facts())
        return self._known_facts[1]

    def _merged_facts(self) -> Facts:
        # Of equal sources the newest counts: a run may be resumed with another plan.
        ranked = sorted(
            self._files.values(), key=lambda file: (file.found.format.rank, -file.number)
        )
        return run_state.merged_facts(
            [
                replace(file.facts, failure=None, finished=None)
                if self._is_past(file)
                else file.facts
                for file in ranked
            ]
        )

    def _is_past(self, file: FollowedFile) -> bool:
        """Whether the run was resumed after a file said that it ended."""
        if not file.facts.failure and not file.facts.finished:
            return False
        telling = [other for other in self._files.values() if other.told]
        return is_left_behind(file.found.path, [other.found.path for other in telling]) or any(
            file.is_outrun_by(other) for other in telling
        )

    @property
    def called(self) -> str:
        """What the framework calls the run where its directory merely numbers it, or empty."""
        return self._facts().name or "" if self._numbered else ""

    def snapshot(self, name: str = "") -> RunSnapshot:
        """Describe the run; the very same object while nothing changed.

        Args:
            name: What to call it, where its path is not telling.
        """
        try:
            return self._described(name or self._found.name)
        except Exception as error:
            if self._snapshot is None or self._undescribed != self._changes:
                self._undescribed = self._changes
                why = f"{internal_error(error)}; the run cannot be shown"
                self._snapshot = RunSnapshot(
                    name or self._found.name, self._found.path, errors=(why,)
                )
            return self._snapshot

    def _described(self, name: str) -> RunSnapshot:
        now = self._clock()
        known = self._snapshot is not None and self._snapshot.name == name
        if self._snapshot is not None and known and self._stamp == self._changes:
            state, reason = run_state.state(self._vitals[0], now)
            if state is self._snapshot.state:
                return self._snapshot
        self._stamp = self._changes
        series = self._store.series()
        train, eval_ = self._headline_indices(series)
        facts = self._facts()
        lead = series[train] if train is not None else _longest(series)
        self._vitals = vital, pace = self._vital(facts, lead, series)
        state, reason = run_state.state(vital, now)
        epoch = _epoch(series, lead)
        # What is missing may be on its way while files are read.
        whole = all(file.caught_up for file in self._files.values())
        asked = ambiguous_tags(series, train, eval_, self._named) if whole else ()
        told = words(series, train, asked) if whole else ()
        self._snapshot = RunSnapshot(
            name=name,
            path=self._found.path,
            sources=self._store.sources or self._formats(),
            state=state,
            state_reason=reason,
            step=vital.step,
            total_steps=vital.total_steps,
            epoch=epoch,
            total_epochs=facts.total_epochs,
            steps_per_second=pace.steps_per_second,
            remaining=run_state.remaining(vital, pace) if state is RunState.RUNNING else None,
            last_time=vital.last_sign,
            series=series,
            train=train,
            eval=eval_,
            diagnosis=self._diagnosis(state, vital.step),
            best=self._best(series[eval_]) if eval_ is not None else None,
            checkpoints=self._found.checkpoints,
            restarts=self._store.restarts(),
            log=tuple(self._logs.get(self._log_name, ())),
            log_name=self._log_name,
            settings=facts.settings,
            samples=self._samples.all(),
            errors=self._errors(),
            notes=(*((GONE,) if self._is_gone else ()), *self._notes, *told),
            ambiguous_tags=asked,
            loaded=self._loaded(),
            size=self._size(),
        )
        return self._snapshot

    def _errors(self) -> tuple[str, ...]:
        own = (file.error for file in self._files.values())
        return tuple(error for error in (*own, self._judge.error) if error)

    def _headline_indices(self, series: tuple[Series, ...]) -> tuple[int | None, int | None]:
        heads = self._store.headlines()
        keyed = self._store.series_keys()
        places = {id(one): index for index, one in enumerate(series)}

        def place(key: str | None) -> int | None:
            return None if key is None else places.get(id(keyed.get(key)))

        return place(heads.train), place(heads.eval)

    def _vital(
        self, facts: Facts, lead: Series | None, series: tuple[Series, ...]
    ) -> tuple[run_state.RunVitals, run_state.StepRate]:
        step = max((one.last_step for one in series if _same_axis(one, lead)), default=None)
        total = facts.total_steps
        if lead is not None and lead.axis is not Axis.STEP:
            epochs = facts.total_epochs if lead.axis is Axis.EPOCH else None
            total = round(epochs) if epochs else None
        if total is not None and step is not None and total < step:
            # A total that was passed was meant otherwise: of an epoch, of an earlier run.
            total = None
        pace = run_state.step_rate(lead)
        walls = [float(one.wall_times[-1]) for one in series if len(one.wall_times)]
        newest = max((wall for wall in walls if np.isfinite(wall)), default=float("nan"))
        signs = [file.last_sign(newest) for file in self._files.values()]
        last = max((sign for sign in signs if sign is not None), default=None)
        return run_state.RunVitals(
            facts, step, total, run_state.stride(lead), pace.interval, last
        ), pace

    def _diagnosis(self, state: RunState, step: int | None) -> Diagnosis:
        judged = self._judge.diagnosis()
        if state is not RunState.STALLED or not self._advanced_live or step is None:
            return judged
        # Only a silence that was watched is an alarm: an old log is merely old.
        stalled = Finding("stalled", Severity.WARNING, step, Confidence.MEDIUM, {"step": step})
        findings = tuple(sorted((stalled, *judged.findings), key=lambda finding: -finding.severity))
        verdict = stalled if judged.verdict.severity < Severity.WARNING else judged.verdict
        return replace(judged, verdict=verdict, findings=findings)

    def _best(self, evals: Series) -> Best | None:
        if not np.isfinite(evals.minimum):
            return None
        return Best(evals.min_step, evals.minimum, self._checkpoint_for(evals))

    def _checkpoint_for(self, evals: Series) -> str | None:
        """Name of the newest checkpoint since the eval before the best one, up to the best."""
        earlier = evals.steps[evals.steps < evals.min_step]
        after = int(earlier[-1]) if len(earlier) else -1
        fitting = [
            (step, name) for step, name in self._found.checkpoints if after < step <= evals.min_step
        ]
        return max(fitting)[1] if fitting else None

    def _size(self) -> int:
        return sum(file.seen.size if file.seen else 0 for file in self._files.values())

    def _loaded(self) -> float:
        total = self._size()
        pending = sum(file.pending for file in self._files.values())
        return 1.0 if not total else round(1.0 - min(pending, total) / total, 3)

    def _formats(self) -> tuple[str, ...]:
        ranked = sorted(self._files.values(), key=lambda file: file.found.format.rank)
        return tuple(dict.fromkeys(file.found.format.source for file in ranked))


def _key(file: FoundFile) -> str:
    return f"{file.path}/{file.part}" if file.part else str(file.path)


def _is_superseded(file: FollowedFile, names: set[str], inodes: set[Identity | None]) -> bool:
    """Whether a file that is no longer listed lives on in another one.

    A trainer writes its whole history into each checkpoint: the newest has all of it, whether
    the older ones are still on disk or were deleted. A rotated log has another name. A log that
    was merely deleted keeps its curve.
    """
    path = file.found.path
    return path.exists() or path.name in names or (file.seen and file.seen.identity) in inodes


def _longest(series: tuple[Series, ...]) -> Series | None:
    return max(series, key=lambda one: one.n, default=None)


def _same_axis(one: Series, lead: Series | None) -> bool:
    return lead is None or one.axis is lead.axis


def _epoch(series: tuple[Series, ...], lead: Series | None) -> float | None:
    for one in series:
        if one.meaning.key == "epoch" and np.isfinite(one.last):
            return one.last
    if lead is not None and lead.axis is Axis.EPOCH:
        return float(lead.last_step)
    return None
