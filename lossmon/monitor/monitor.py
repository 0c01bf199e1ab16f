"""Turns paths into snapshots: finds runs, reads on, judges, and never raises for a bad file."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Protocol

from lossmon.errors import internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.monitor.file_follower import identity
from lossmon.monitor.hardware_source import HardwareSource
from lossmon.monitor.resumed_runs import continues, is_settled, joined, predecessors
from lossmon.monitor.run_monitor import RunMonitor
from lossmon.monitor.scheduler import Scheduler
from lossmon.readers.discovery.discovery import Discovery, FoundRun, Scan
from lossmon.types import HardwareReading, MetricNames, RunSnapshot, RunState, Snapshot

BUDGET = 0.05
"""Seconds a poll may take: twenty a second keep a progress bar and the keyboard alive."""

DRAIN = 0.25
"""Seconds of one poll when all is read at once: what was read is stored before more is."""

RESCAN = 1.0
"""Seconds between looks for new files: a run that starts shows within about a second."""

FAULTS = 5
"""Errors of our own that are noted at once: the log has all of them."""

RESCAN_SHARE = 20.0
"""Looking for files may take a twentieth of the time, however large the tree is."""


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """What the monitor may be told.

    Attributes:
        names: What the user's config says of names.
        patterns: Regular expressions for lines of text logs, by what the user calls them.
        sensitivity: Above 1 alarms come earlier and more often, below 1 later and less.
    """

    names: MetricNames = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    sensitivity: float = 1.0


class HardwareInput(Protocol):
    """Where the monitor gets the state of the machine from.

    Attributes:
        idle: No run is alive, so samples may be rare.
    """

    idle: bool

    @property
    def latest(self) -> HardwareReading:
        """The newest reading; the very same object while nothing changed."""
        ...


@dataclass(slots=True)
class NoHardware:
    """Hardware that is not sampled.

    Attributes:
        latest: What is shown instead, always.
        idle: Set by the monitor, without effect.
    """

    latest: HardwareReading = field(default_factory=HardwareReading)
    idle: bool = True


class Monitor:
    """Follows every run under some paths. One thread calls `poll`; nothing here is locked."""

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
        self._machine = HardwareSource()
        self._runs: dict[Path, RunMonitor] = {}
        self._continued: dict[Path, Path] = {}
        self._decided: set[Path] = set()
        self._next_scan = -math.inf
        self._scan = Scan()
        self._names = self._config.names
        self._told = self._names
        self._turn = -1
        self._turns = Scheduler()
        self._snapshot = Snapshot()
        self._faults: tuple[str, ...] = ()

    @property
    def scan(self) -> Scan:
        """What the last look at the paths found."""
        return self._scan

    def poll(self, budget: float = BUDGET, *, judge: bool = True) -> Snapshot:
        """Read what is new and return what it means.

        Args:
            budget: Seconds after which to return with what is there.
            judge: Let the diagnosis hear of it; else that is left to the next call.

        Returns:
            The very same object as before while nothing changed.
        """
        begin = time.monotonic()
        deadline = begin + budget
        if begin >= self._next_scan:
            self._try(self._look)
            took = time.monotonic() - begin
            self._next_scan = begin + max(RESCAN, RESCAN_SHARE * took)
            deadline = max(deadline, time.monotonic() + budget / 2)
        self._hear_names()
        runs = list(self._runs.values())
        for _ in runs:
            # Where many are read, each gets its share of the polls.
            self._turn = (self._turn + 1) % len(runs)
            runs[self._turn].read(deadline)
            if time.monotonic() > deadline:
                break
        if judge:
            self._turns.judge(runs, deadline)
        snapshot = self._describe()
        if not self._try(lambda: self._join(snapshot)):
            return snapshot
        return self._describe()

    def _try(self, step: Callable[[], bool]) -> bool:
        """Take a step that concerns all runs; what goes wrong in it is noted.

        Returns:
            What the step returns, or False where it failed.
        """
        try:
            return step()
        except Exception as error:
            why = f"{internal_error(error)}; new runs may be missing"
            self._faults = tuple(dict.fromkeys((*self._faults, why)))[-FAULTS:]
            return False

    def prioritise(self, paths: Collection[Path]) -> None:
        """Judge these runs before the others. Another thread may call it."""
        self._turns.prioritised = paths

    def set_metric_names(self, names: MetricNames) -> None:
        """Take what the user says of names now, from the next poll on.

        What a run logs under them is judged anew. Another thread may call it.
        """
        self._told = names

    def _hear_names(self) -> None:
        told = self._told
        if told is not self._names:
            self._names = told
            for run in self._runs.values():
                run.set_metric_names(told)

    def rescan(self) -> None:
        """Look for new files at the next poll, however recently that was done."""
        self._next_scan = -math.inf

    def drain(self) -> Snapshot:
        """Read everything that is there now and return what it means."""
        while self.poll(budget=DRAIN).busy:
            continue
        return self.poll(budget=math.inf)

    def _look(self) -> bool:
        self._scan = self._discovery.scan()
        self._let_go()
        self._follow()
        return True

    def _follow(self) -> None:
        runs = joined(self._scan.runs, self._continued)
        for path in {run.path for run in self._scan.runs} - {run.path for run in runs}:
            self._runs.pop(path, None)
        for found in runs:
            if found.path in self._runs:
                self._runs[found.path].update(found)
            else:
                self._runs[found.path] = RunMonitor(
                    found,
                    names=self._names,
                    sensitivity=self._config.sensitivity,
                    clock=self._clock,
                )
        there = {found.path for found in runs}
        for path, run in self._runs.items():
            run.miss(path not in there)
        if any(file.part for found in runs for file in found.files):
            self._order(runs)

    def _order(self, runs: Sequence[FoundRun]) -> None:
        """List runs as they were found: of several in one file the newest stands first."""
        places = {found.path: place for place, found in enumerate(runs)}
        ordered = sorted(self._runs, key=lambda path: places.get(path, len(places)))
        self._runs = {path: self._runs[path] for path in ordered}

    def _join(self, snapshot: Snapshot) -> bool:
        """Put runs together that turned out to be one training, and tell whether there are any.

        Such a run is read again as a whole.
        """
        if snapshot.busy or len(snapshot.runs) < 2:
            return False
        known = {run.path: run for run in snapshot.runs}
        fresh = self._undecided(known)
        found = {later: before for later, before in fresh if continues(known[before], known[later])}
        self._continued.update(found)
        if found:
            self._follow()
        return bool(found)

    def _undecided(self, known: Mapping[Path, RunSnapshot]) -> list[tuple[Path, Path]]:
        """Runs with a numbered one before them of which it can be told now if they continue it."""
        if known.keys() == self._decided:
            return []
        before = predecessors(list(known))
        self._decided |= known.keys() - before.keys()
        fresh = [p for p in before if p not in self._decided and is_settled(known[p])]
        self._decided.update(fresh)
        return [(path, before[path]) for path in fresh]

    def _let_go(self) -> None:
        """Drop runs whose directory was renamed: they are found under their new name."""
        fresh = [found for found in self._scan.runs if found.path not in self._runs]
        if not fresh or not self._runs:
            return
        inodes = {one for found in fresh for file in found.files if (one := identity(file.path))}
        for path in [path for path, run in self._runs.items() if run.moved_to(inodes)]:
            del self._runs[path]

    def _snapshots(self) -> Iterator[RunSnapshot]:
        """Every run, under the name that its framework gave it where the path says less."""
        counts = Counter(run.called for run in self._runs.values())
        for path, run in self._runs.items():
            name = run.called
            # Several runs of one name are told apart by the end of what numbers them.
            yield run.snapshot(f"{name} ({path.name[-8:]})" if name and counts[name] > 1 else name)

    def _describe(self) -> Snapshot:
        runs = _worth_showing(list(self._snapshots()))
        alive = any(run.state in (RunState.RUNNING, RunState.WAITING) for run in runs) or not runs
        if self._hardware.idle is alive:
            self._hardware.idle = not alive
        waiting = "" if runs else ", ".join(str(path) for path in self._paths)
        fresh = replace(
            self._snapshot,
            runs=runs,
            hardware=self._machine.reading(self._hardware.latest, runs, self._clock()),
            waiting_for=waiting,
            notes=(*self._scan.notes, *self._faults),
            busy=any(run.busy for run in self._runs.values()),
        )
        if not _same(fresh, self._snapshot):
            self._snapshot = replace(fresh, time=self._clock())
        return self._snapshot


def _worth_showing(runs: list[RunSnapshot]) -> tuple[RunSnapshot, ...]:
    """Leave out logs without any metric where other runs have some: they are of those runs.

    One that could not be read stays, since nobody knows what it holds.
    """
    telling = tuple(run for run in runs if run.series or run.errors)
    return telling or tuple(runs)


def _same(a: Snapshot, b: Snapshot) -> bool:
    """Whether two snapshots show the same: runs and hardware are compared by identity."""
    return (
        len(a.runs) == len(b.runs)
        and all(x is y for x, y in zip(a.runs, b.runs, strict=True))
        and a.hardware is b.hardware
        and (a.waiting_for, a.notes, a.busy) == (b.waiting_for, b.notes, b.busy)
    )
