"""Monitor of paths: finds runs, reads on, judges, and never raises because of a bad file."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path

from lossmon.config import Config
from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.monitor.file_follower import identity
from lossmon.monitor.hardware import HardwareFindings, HardwareInput, HardwareSource, NoHardware
from lossmon.monitor.heap import Heap
from lossmon.monitor.runs.description import own_label
from lossmon.monitor.runs.run_monitor import RunMonitor
from lossmon.monitor.same_training import DuplicateLogs, continues, is_settled, joined, predecessors
from lossmon.monitor.scheduler import Scheduler
from lossmon.monitor.stalled_reads import unless_stalled
from lossmon.monitor.studies import Sweeps
from lossmon.nodes.follower import RunNodes
from lossmon.readers.discovery.discovery import Discovery, Scan
from lossmon.readers.discovery.found import FoundRun
from lossmon.store.run import MEMORY_BUDGET
from lossmon.types import UNJUDGED, MetricNames, RunSnapshot, RunState, Snapshot

UNLIMITED = 1 << 62
"""Memory budget that keeps every point."""

BUDGET = 0.05
"""Seconds a poll may take: twenty a second keep a progress bar and the keyboard alive."""

DRAIN = 0.25
"""Seconds for which one run is read at a time: a batch is stored before more is read."""

DRAIN_BUDGET = 2.0
"""Seconds per poll when all is read at once."""

LOOK_SHARE = 20.0
"""While runs wait to be judged, looking at files without news may take a twentieth of the time."""

DESCRIBE_SHARE, LONGEST_WAIT = 10.0, 2.0
"""While runs are read and judged, describing them may take a tenth of the time, at least every two
seconds: of 10,000 runs it takes a fifth of one."""

SEARCH_SHARE = 4.0
"""Budgets that a poll may take for searching: a tree that is larger takes several polls."""

RESCAN = 1.0
"""Seconds between scans for new files: a new run shows within about a second."""

FAULTS = 5
"""Most internal errors noted at a time; the error log has all of them."""

RESCAN_SHARE = 20.0
"""Scanning for files may take a twentieth of the time, however large the tree is."""


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """Settings of the monitor.

    Attributes:
        names: The user's names of metrics.
        patterns: The user's regular expressions for lines of text logs, by their names.
        sensitivity: Above 1 alarms come earlier and more often, below 1 later and less.
        memory_budget: Bytes of points per run above which old points are thinned.
    """

    names: MetricNames = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    sensitivity: float = 1.0
    memory_budget: int = MEMORY_BUDGET

    @classmethod
    def of(cls, config: Config) -> MonitorConfig:
        """The part of the settings that the monitor takes."""
        return cls(config.metrics, config.patterns, config.sensitivity)


class Monitor:
    """Follows every run under some paths.

    One thread calls `poll` and `drain`; nothing is locked. Other threads may call `prioritise`,
    `set_metric_names`, `load_settings` and `rescan`, which take effect at the next poll.

    Args:
        paths: Run directories, directories of runs, or log files; need not exist yet.
        hardware: Readings of this machine; none if not given.
        clock: Seconds since the Unix epoch.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        config: MonitorConfig | None = None,
        *,
        hardware: HardwareInput | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config or MonitorConfig()
        self._discovery = Discovery(paths, self._config.patterns)
        self._paths = tuple(paths)
        self._hardware: HardwareInput = hardware or NoHardware()
        self._clock = clock
        self._hardware_source = HardwareSource()
        self._nodes = RunNodes(paths)
        self._hardware_findings = HardwareFindings()
        self._sweeps = Sweeps()
        self._runs: dict[Path, RunMonitor] = {}
        self._continued: dict[Path, Path] = {}
        self._duplicates = DuplicateLogs()
        self._decided: set[Path] = set()
        self._next_scan = -math.inf
        self._next_read = -math.inf
        self._next_description = -math.inf
        self._scan = Scan()
        self._files: tuple[Path, ...] = ()
        self._names = self._config.names
        self._new_names = self._names
        self._settings_requests: deque[Path] = deque()
        self._turn = -1
        self._scheduler = Scheduler()
        self._heap = Heap()
        self._snapshot = Snapshot()
        self._faults: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read; the same object until a scan finds others."""
        return self._files

    def poll(self, budget: float = BUDGET, *, judge: bool = True) -> Snapshot:
        """Read and judge what is new.

        Args:
            budget: Seconds after which to return with what is there.
            judge: Also update the diagnoses; else that is left to the next call.

        Returns:
            The state of every run; the same object until something changes.
        """
        begin = time.monotonic()
        deadline = begin + budget
        if begin >= self._next_scan:
            if not self._try(lambda: self._look_for_files(begin + SEARCH_SHARE * budget)):
                self._scan = replace(self._scan, is_complete=True)
            took = time.monotonic() - begin
            wait = max(RESCAN, RESCAN_SHARE * took) if self._scan.is_complete else 0.0
            self._next_scan = begin + wait
            deadline = max(deadline, time.monotonic() + budget / 2)
        self._apply_requests()
        runs = list(self._runs.values())
        self._read(runs, deadline)
        if judge:
            self._scheduler.judge(runs, deadline)
        if self._snapshot.busy and time.monotonic() < self._next_description and self._is_busy():
            return self._snapshot
        snapshot = self._describe()
        if self._try(lambda: self._join(snapshot)):
            snapshot = self._describe()
        if not snapshot.busy:
            self._scheduler.settle()
            self._heap.trim(sum(run.size for run in snapshot.runs))
        return snapshot

    def _read(self, runs: Sequence[RunMonitor], deadline: float) -> None:
        """Read what is new in the files of all runs, until a `time.monotonic()` value."""
        begin = time.monotonic()
        if begin < self._next_read and any(run.awaits_judgement for run in runs):
            return
        for _ in runs:
            # Where many runs are read, each gets its share of the polls.
            self._turn = (self._turn + 1) % len(runs)
            runs[self._turn].read(min(deadline, time.monotonic() + DRAIN))
            if time.monotonic() > deadline:
                break
        # Where one is not, it is the next or near it.
        in_turn = (*runs[self._turn + 1 :], *runs[: self._turn + 1])
        if not any(run.files.has_unread for run in in_turn):
            self._next_read = begin + LOOK_SHARE * (time.monotonic() - begin)

    def _try(self, step: Callable[[], bool]) -> bool:
        """Do a step that concerns all runs, and note an error in it.

        Returns:
            The result of the step, or False where it failed.
        """
        try:
            return step()
        except BaseException as error:
            why = f"{internal_error(error)}; new runs may be missing"
            self._faults = tuple(dict.fromkeys((*self._faults, why)))[-FAULTS:]
            return False

    def prioritise(self, paths: Collection[Path]) -> None:
        """Judge these runs before the others."""
        if paths != self._scheduler.prioritised:
            self._scheduler.prioritised = paths
            self._next_description = -math.inf

    def set_metric_names(self, names: MetricNames) -> None:
        """Replace the user's names of metrics; runs that log them are judged again."""
        self._new_names = names

    def load_settings(self, paths: Iterable[Path]) -> None:
        """Read the settings files in the directories of these runs, given by their paths."""
        self._settings_requests.extend(paths)

    def _apply_requests(self) -> None:
        """Do what other threads asked for since the last poll."""
        names = self._new_names
        if names is not self._names:
            self._names = names
            for run in self._runs.values():
                run.set_metric_names(names)
        while self._settings_requests:
            asked = self._runs.get(self._settings_requests.popleft())
            if asked is not None:
                asked.load_settings()

    def rescan(self) -> None:
        """Scan for new files at the next poll, however recent the last scan is."""
        self._next_scan = -math.inf

    def drain(self) -> Snapshot:
        """Read and judge everything that is there now.

        Raises:
            FileSystemStalled: A network file system does not answer.
        """
        *_, last = self.polls()
        return last

    def polls(self) -> Iterator[Snapshot]:
        """Read and judge everything that is there now: each poll until then, all read in the last.

        Raises:
            FileSystemStalled: A network file system does not answer.
        """
        self._heap.keep()
        busy = True
        while busy:
            snapshot = unless_stalled(partial(self.poll, DRAIN_BUDGET), self._paths)
            if not snapshot.busy:
                # A file may have grown while others were judged.
                snapshot = unless_stalled(partial(self.poll, math.inf), self._paths)
            busy = snapshot.busy
            yield snapshot

    def _look_for_files(self, deadline: float) -> bool:
        self._scan = self._discovery.scan(deadline)
        files = tuple(file.path for run in self._scan.runs for file in run.files)
        self._files = self._files if files == self._files else files
        self._drop_renamed()
        self._follow()
        return True

    def _follow(self) -> None:
        runs = joined(self._scan.runs, self._continued, self._duplicates.found)
        for path in {run.path for run in self._scan.runs} - {run.path for run in runs}:
            self._runs.pop(path, None)
        for found in runs:
            if found.path in self._runs:
                self._runs[found.path].update(found)
            else:
                self._next_read = -math.inf
                self._runs[found.path] = RunMonitor(
                    found,
                    names=self._names,
                    sensitivity=self._config.sensitivity,
                    memory_budget=self._config.memory_budget,
                    clock=self._clock,
                )
        there = {found.path for found in runs}
        files = {file.path for found in runs for file in found.files}
        for path in [path for path in self._runs if path not in there]:
            if {file.found.path for file in self._runs[path].files} <= files:
                # Its files turned out to belong to another run.
                del self._runs[path]
        for path, run in self._runs.items():
            run.set_gone(path not in there)
        if any(file.part for found in runs for file in found.files):
            self._order(runs)

    def _order(self, runs: Sequence[FoundRun]) -> None:
        """Order runs as they were found: of several in one file, the newest first."""
        places = {found.path: place for place, found in enumerate(runs)}
        ordered = sorted(self._runs, key=lambda path: places.get(path, len(places)))
        self._runs = {path: self._runs[path] for path in ordered}

    def _join(self, snapshot: Snapshot) -> bool:
        """Join runs that turned out to be one training; such a run is read again as a whole.

        Returns:
            Whether there are any.
        """
        # Studies have no files.
        runs = [run for run in snapshot.runs if run.path in self._runs]
        if snapshot.busy or len(runs) < 2:
            return False
        known = {run.path: run for run in runs}
        fresh = self._undecided(known)
        found = {later: before for later, before in fresh if continues(known[before], known[later])}
        self._continued.update(found)
        scanned = {run.path: run for run in self._scan.runs}
        is_changed = self._duplicates.update(scanned, runs) or bool(found)
        if is_changed:
            self._follow()
        return is_changed

    def _undecided(self, known: Mapping[Path, RunSnapshot]) -> list[tuple[Path, Path]]:
        """Pairs of a run and the one numbered before it that can be compared now."""
        if known.keys() == self._decided:
            return []
        before = predecessors(list(known))
        self._decided |= known.keys() - before.keys()
        fresh = [p for p in before if p not in self._decided and is_settled(known[p])]
        self._decided.update(fresh)
        return [(path, before[path]) for path in fresh]

    def _drop_renamed(self) -> None:
        """Drop runs whose directory was renamed: they are found under the new name."""
        fresh = [found for found in self._scan.runs if found.path not in self._runs]
        if not fresh or not self._runs:
            return
        inodes = {one for found in fresh for file in found.files if (one := identity(file.path))}
        for path in [path for path, run in self._runs.items() if run.files.have_moved_to(inodes)]:
            del self._runs[path]

    def _snapshots(self) -> Iterator[RunSnapshot]:
        """Every run, by the name that its framework gave it where the path is merely numbered."""
        names = [run.framework_name for run in self._runs.values()]
        counts = Counter(names)
        for (path, run), name in zip(self._runs.items(), names, strict=True):
            # Runs of one name are distinguished by what their directories are called.
            yield run.snapshot(f"{name} ({own_label(path)})" if name and counts[name] > 1 else name)

    def _is_busy(self) -> bool:
        """Whether files are still searched, or something is known to be unread or unjudged."""
        return not self._scan.is_complete or any(run.busy for run in self._runs.values())

    def _describe(self) -> Snapshot:
        begin, now = time.monotonic(), self._clock()
        described = list(self._snapshots())
        self._sweeps.end_trials(described, self._runs)
        unread = sum(
            run.busy and one.diagnosis is UNJUDGED
            for run, one in zip(self._runs.values(), described, strict=True)
        )
        wanted = tuple(self._scheduler.prioritised)
        in_view = wanted[0] if len(wanted) == 1 else None
        runs = self._nodes.added(_worth_showing(described), now, in_view)
        runs = self._hardware_findings.added(runs, self._hardware.latest, now)
        runs = self._sweeps.added(runs)
        alive = any(run.state in (RunState.RUNNING, RunState.WAITING) for run in runs) or not runs
        if self._hardware.idle is alive:
            self._hardware.idle = not alive
        waiting = "" if runs else ", ".join(str(path) for path in self._paths)
        fresh = replace(
            self._snapshot,
            runs=runs,
            hardware=self._hardware_source.reading(self._hardware.latest, runs, now),
            waiting_for=waiting,
            seen_files=0 if runs else self._scan.seen_files,
            unread_files=() if runs else self._scan.unrecognised,
            notes=(*self._scan.notes, *self._faults),
            busy=self._is_busy(),
            # Runs without a metric are not shown, but read: shown runs become more and fewer.
            read=(len(described) - unread, len(described)) if self._scan.is_complete else None,
        )
        if not _same(fresh, self._snapshot):
            self._snapshot = replace(fresh, time=self._clock())
        took = time.monotonic() - begin
        self._next_description = begin + min(DESCRIBE_SHARE * took, LONGEST_WAIT)
        return self._snapshot


def _worth_showing(runs: list[RunSnapshot]) -> tuple[RunSnapshot, ...]:
    """Leave out logs without a metric where other runs have some: they belong to those runs.

    A run that could not be read stays: its contents are unknown.
    """
    return tuple(run for run in runs if run.series or run.media or run.errors) or tuple(runs)


def _same(a: Snapshot, b: Snapshot) -> bool:
    """Whether two snapshots are the same; runs and hardware are compared by identity."""
    return (
        len(a.runs) == len(b.runs)
        and all(x is y for x, y in zip(a.runs, b.runs, strict=True))
        and a.hardware is b.hardware
        and (a.waiting_for, a.notes, a.busy, a.read) == (b.waiting_for, b.notes, b.busy, b.read)
        and (a.seen_files, a.unread_files) == (b.seen_files, b.unread_files)
    )
