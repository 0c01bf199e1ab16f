"""Monitor of one run: files into the store, points into the diagnosis, all into a snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lossmon.errors import internal_error
from lossmon.monitor.file_follower import FollowedFile
from lossmon.monitor.heap import return_freed
from lossmon.monitor.runs import run_state
from lossmon.monitor.runs.ambiguous_tags import TagOverrides, ambiguous_tags
from lossmon.monitor.runs.description import (
    best_eval,
    epoch_of,
    is_numbered,
    leading_series,
    unmasked,
    vitals_of,
    with_stall,
)
from lossmon.monitor.runs.diagnosis_feed import Backlog, DiagnosisFeed
from lossmon.monitor.runs.files import RunFiles, RunLog
from lossmon.monitor.runs.notes import notes_on
from lossmon.monitor.runs.unmeasured import UnmeasuredValues
from lossmon.monitor.studies import with_study
from lossmon.readers.discovery.found import FoundRun
from lossmon.readers.tags.meaning import meaning
from lossmon.store import RunStore
from lossmon.store.media import MediaStore, SampleStore
from lossmon.types import (
    Batch,
    Diagnosis,
    Facts,
    Meaning,
    MetricNames,
    RunSnapshot,
    RunState,
    Series,
)

if TYPE_CHECKING:
    from lossmon.diagnosis.engine import Engine

T = TypeVar("T")

GONE = "its files are gone; what was read of them stays"
"""Note on a run whose files were all deleted: a curve that does not move needs a reason."""

RESTATE = 0.5
"""Seconds after which silence may have changed the state of a run."""

DESCRIBE_SHARE = 10.0
"""While files are read, describing their run, perhaps with thousands of series, may take a tenth of
the time."""


class RunMonitor:
    """Follows the files of one run. Used by one thread.

    Args:
        found: The run and its files.
        names: The user's names of metrics.
        sensitivity: Above 1 alarms come earlier and more often, below 1 later and less.
        memory_budget: Bytes of points above which old points are thinned.
        clock: Seconds since the Unix epoch.
    """

    def __init__(
        self,
        found: FoundRun,
        *,
        names: MetricNames,
        sensitivity: float,
        memory_budget: int,
        clock: Callable[[], float],
    ) -> None:
        self._found = found
        self._overrides = TagOverrides(names)
        self._clock = clock
        self.files = RunFiles()
        """Its files, and how far they were read."""
        self._store = RunStore(memory_budget)
        self._feed = DiagnosisFeed(self._store, sensitivity)
        self._log = RunLog()
        self._unmeasured = UnmeasuredValues()
        self._samples = SampleStore()
        self._media = MediaStore()
        self._settings: Mapping[str, str] = {}
        self._notes: dict[str, None] = {}
        self._is_gone = False
        self._end: Facts | None = None
        self._advanced_live = False
        self._must_reread = False
        self._snapshot: RunSnapshot | None = None
        self._vitals: tuple[run_state.RunVitals, run_state.StepRate]
        self._known_facts = (-1, Facts())
        self._changes = 0
        """Grows with every change; the versions below are its values at the time."""
        self._described_at = -1
        self._stated_at = 0.0
        self._not_before = 0.0
        self._failed_at = -1
        self.update(found)

    def update(self, found: FoundRun) -> None:
        """Follow files and checkpoints that appeared."""
        self._changes += replace(found, files=()) != replace(self._found, files=())
        self._found = found
        dropped, appeared = self.files.update(found)
        self._changes += appeared
        self._drop(dropped)

    def set_gone(self, is_gone: bool) -> None:
        """Set whether all files of the run were deleted."""
        self._changes += is_gone is not self._is_gone
        self._is_gone = is_gone

    def set_end(self, failure: str | None) -> None:
        """Set whether the run has ended, as the study says that it is a trial of.

        Args:
            failure: Why it failed, or empty; None while it goes on.
        """
        end = None if failure is None else Facts(finished=not failure, failure=failure or None)
        self._changes += end != self._end
        self._end = end

    def _drop(self, numbers: Iterable[int]) -> None:
        """Drop all that was read of some files, and judge the rest again."""
        for number in numbers:
            self._store.clear(number)
            self._replay_without(number)
            self._changes += 1

    def _replay_without(self, number: int) -> None:
        """Drop what was read of a file beside its points, and judge the rest again."""
        self._unmeasured.clear(number)
        self._samples.clear(number)
        self._media.clear(number)
        self._feed.replay()

    @property
    def busy(self) -> bool:
        """Whether bytes are known to be unread or points unjudged."""
        return self._must_reread or self._feed.busy or self.files.has_unread

    @property
    def path(self) -> Path:
        """Its own directory or file."""
        return self._found.path

    @property
    def awaits_judgement(self) -> bool:
        """Whether every file was read to its end and some points were not judged."""
        return self._feed.busy and self.files.caught_up and not self._feed.is_lent

    @property
    def is_live(self) -> bool:
        """Whether it was seen to grow."""
        return self.files.is_live

    @property
    def written(self) -> int:
        """Nanoseconds since the Unix epoch of the newest modification, 0 where unknown."""
        return self.files.written

    # ------------------------------------------------------------------------------------ reading

    def read(self, deadline: float) -> None:
        """Read what is new in the files; returns soon after the deadline."""
        if self._must_reread:
            self._must_reread = False
            self._log.clear_all()
            self._drop(self.files.restart())
        if self.awaits_judgement and self._store.is_crowded:
            # These points are dropped only once they were judged: a log that grows faster has to
            # wait.
            return
        if self._store.thin(self._feed.reads):
            return_freed()
        now = self._clock()
        for file in self.files.in_turn():
            self._read(file, deadline, now)
            if time.monotonic() > deadline:
                return

    def _read(self, file: FollowedFile, deadline: float, now: float) -> None:
        """Read one file; an error costs no other file."""
        try:
            batch = file.read(deadline, now)
            if batch is not None:
                self._add(file, batch)
        except BaseException as error:
            file.fail(error)
            self._drop([file.number])

    def _add(self, file: FollowedFile, batch: Batch) -> None:
        found = file.found
        source, rank = file.reader.source if file.reader else found.format.source, found.format.rank
        if batch.replaced:
            self._store.replace_file(file.number)
            self._log.clear(found.path.name)
            self._replay_without(file.number)
        tags = {points.tag for points in batch.points}
        if self._overrides.add(tags | {f"{found.scope}/{tag}" for tag in tags if found.scope}):
            self._rename()
        named = [(one, self._meaning(one.tag, found.scope, source)) for one in batch.points]
        for points, what in self._unmeasured.without(file.number, named):
            self._store.add(file.number, source, rank, found.scope, points, what)
        for restart in batch.restarts:
            self._store.restart(file.number, source, rank, found.scope, restart)
        self._log.add(found.path.name, batch.lines)
        self._samples.add(file.number, batch.samples)
        self._media.add(file.number, found.scope, source, batch.media)
        self._notes.update(dict.fromkeys(f"{found.path.name}: {note}" for note in batch.notes))
        self._advanced_live |= file.grew_at is not None and bool(batch.points)
        self._changes += 1

    def load_settings(self) -> None:
        """Read the settings files in the run's directory."""
        # Imported for those who look at settings alone.
        from lossmon.readers.settings.beside import settings_beside

        try:
            self._settings = settings_beside(self._found.path)
        except BaseException as error:
            self._notes[f"{internal_error(error)}; its settings files are not read"] = None
        self._changes += 1

    def set_metric_names(self, names: MetricNames) -> None:
        """Replace the user's names of metrics; the run is judged again where its own change."""
        if self._overrides.set(names):
            self._rename()
        self._changes += 1

    def _meaning(self, tag: str, scope: str, source: str) -> Meaning:
        return meaning(tag, scope=scope, source=source, overrides=self._overrides.known)

    def _rename(self) -> None:
        self._store.rename(self._meaning)
        self._feed.replay()
        # Points that were dropped can be replayed from the files alone.
        self._must_reread |= self._store.has_dropped()

    # ------------------------------------------------------------------------------------ judging

    def judge(self, deadline: float) -> None:
        """Feed the diagnosis with what was read.

        Starts when every file was read to its end once: which source leads, and so the order of
        the points, is known only then.
        """
        if self.files.caught_up:
            self._with_feed(lambda: self._update(deadline))

    def _update(self, deadline: float) -> bool:
        """Feed what is new, but no sample: where a source leads that is held in part, all files are
        read again first."""
        if self._store.leads_sampled:
            self._must_reread = True
            return False
        return self._feed.update(self._facts(), deadline)

    def lend(self) -> Backlog | None:
        """Points for another process to judge, None where they are judged here."""
        return self._with_feed(lambda: self._feed.lend(self._facts()))

    def take_back(self, lent: Backlog, engine: Engine | None) -> None:
        """Go on with the engine that was fed what was lent; without one it is fed here."""
        self._with_feed(lambda: self._feed.take_back(lent, engine))

    def _with_feed(self, step: Callable[[], T]) -> T | None:
        """Do a step of judging, which tells whether anything changed; an error ends the judging."""
        try:
            if changed := step():
                self._changes += 1
            if (changed and not self._feed.busy) or (self._feed.error and self._store.is_crowded):
                self._return_memory()
            return changed
        except BaseException as error:
            self._feed.fail(error)
            self._changes += 1
            return None

    def _return_memory(self) -> None:
        """Drop what is held twice and what exceeds the budget, once all was judged."""
        dropped = self._store.sample()
        if self._store.thin() or dropped:
            return_freed()
        self._store.settle()

    def _facts(self) -> Facts:
        if self._known_facts[0] != self._changes:
            facts = self.files.facts()
            if self._end is not None:
                facts = run_state.merged_facts([facts, self._end])
            self._known_facts = (self._changes, facts)
        return self._known_facts[1]

    # --------------------------------------------------------------------------------- describing

    @property
    def framework_name(self) -> str:
        """Name that the framework gave the run where its directory is merely numbered, or empty."""
        return self._facts().name or "" if is_numbered(self._found.path) else ""

    def snapshot(self, name: str = "") -> RunSnapshot:
        """Describe the run; the same object until something changes.

        Args:
            name: Name to show where the path is not telling.
        """
        name = name or self._found.name
        try:
            return self._described(name)
        except BaseException as error:
            if self._snapshot is None or self._failed_at != self._changes:
                self._failed_at = self._changes
                why = f"{internal_error(error)}; the run cannot be shown"
                self._snapshot = RunSnapshot(name, self._found.path, errors=(why,))
            return self._snapshot

    def _described(self, name: str) -> RunSnapshot:
        now, old = self._clock(), self._snapshot
        if old is not None and self.files.has_unread and time.monotonic() < self._not_before:
            return old
        if old is not None and old.name == name and self._described_at == self._changes:
            if abs(now - self._stated_at) < RESTATE:
                return old
            self._stated_at = now
            if run_state.state(self._vitals[0], now)[0] is old.state:
                return old
        self._described_at, self._stated_at = self._changes, now
        begin = time.monotonic()
        self._snapshot = self._describe(name, now)
        self._not_before = begin + DESCRIBE_SHARE * (time.monotonic() - begin)
        return self._snapshot

    def _describe(self, name: str, now: float) -> RunSnapshot:
        facts, (train, eval_) = self._facts(), self._store.headline_indices()
        series = unmasked(self._store.series(), train, eval_)
        lead = leading_series(series, train)
        vitals, rate = vitals_of(facts, lead, series, self.files)
        self._vitals = replace(vitals, superseded=self._found.superseded), rate
        state, reason = run_state.state(self._vitals[0], now)
        # What is missing may follow while files are read.
        whole = self.files.caught_up
        asked = ambiguous_tags(series, train, eval_, self._overrides) if whole else ()
        notes = notes_on(series, train, asked) if whole else ()
        checkpoints = self._found.checkpoints
        settings = {**self._settings, **facts.settings} if self._settings else facts.settings
        return RunSnapshot(
            name=name,
            path=self._found.path,
            sources=self._store.sources or self.files.sources,
            state=state,
            state_reason=reason,
            step=vitals.step,
            total_steps=vitals.total_steps,
            epoch=epoch_of(series, lead),
            total_epochs=facts.total_epochs,
            steps_per_second=rate.steps_per_second,
            remaining=run_state.remaining(vitals, rate) if state is RunState.RUNNING else None,
            last_time=vitals.last_activity,
            series=series,
            train=train,
            eval=eval_,
            diagnosis=self._diagnosis(state, vitals.step, series, facts),
            best=None if eval_ is None else best_eval(series[eval_], checkpoints, facts.best_step),
            checkpoints=checkpoints,
            restarts=self._store.restarts(),
            log=self._log.lines,
            log_name=self._log.name,
            settings=settings,
            samples=self._samples.all(),
            media=self._media.all(),
            errors=(*self.files.errors, *filter(None, (self._feed.error,))),
            notes=(*((GONE,) if self._is_gone else ()), *self._notes, *notes),
            ambiguous_tags=asked,
            loaded=self.files.loaded,
            size=self.files.size,
            trial_ends=facts.trial_ends or {},
            sweep=facts.sweep or "",
        )

    def _diagnosis(
        self, state: RunState, step: int | None, series: tuple[Series, ...], facts: Facts
    ) -> Diagnosis:
        diagnosis = self._feed.diagnosis(ended=state.is_over or state is RunState.STALLED)
        if not self._feed.error:
            # A diagnosis that failed is said, also of a study.
            diagnosis = with_study(diagnosis, series, facts.trials, facts.best_step)
        # Only silence after live points is an alarm: an old log is merely old.
        if state is RunState.STALLED and self._advanced_live and step is not None:
            return with_stall(diagnosis, step)
        return diagnosis
