"""Hardware of runs: the readings to show, and the findings that are added to their diagnoses."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lossmon.fast_dataclass import dataclass
from lossmon.types import Diagnosis, Finding, HardwareReading, RunSnapshot, RunState, VerdictChange
from lossmon.types.hardware import is_recorded

if TYPE_CHECKING:
    from lossmon.monitor.run_hardware import RunHardware


class HardwareInput(Protocol):
    """Hardware readings of this machine.

    Attributes:
        idle: No run is alive, so samples may be rare. Set by the monitor.
    """

    idle: bool

    @property
    def latest(self) -> HardwareReading:
        """The newest reading; the same object until something changes."""
        ...


@dataclass(slots=True)
class NoHardware:
    """Hardware that is not sampled.

    Attributes:
        latest: The reading to show instead.
        idle: Without effect.
    """

    latest: HardwareReading = field(default_factory=HardwareReading)
    idle: bool = True


class HardwareSource:
    """Chooses between the readings of this machine and those of the machine that trains.

    A run that is watched from a login node or a copy trains elsewhere: where this machine has no
    GPU, the readings that the run's tracker recorded are shown.
    """

    def __init__(self) -> None:
        self._run: RunSnapshot | None = None
        self._local: HardwareReading | None = None
        self._shown = HardwareReading()

    def reading(
        self, local: HardwareReading, runs: Sequence[RunSnapshot], now: float
    ) -> HardwareReading:
        """Return the readings to show; the same object until something changes.

        Args:
            local: The newest reading of this machine.
            runs: Every run; the one that was active last counts.
            now: Seconds since the Unix epoch.
        """
        if local.gpus or not runs:
            return local
        run = max(runs, key=lambda one: one.last_time or 0.0)
        if not any(is_recorded(one.meaning.key) for one in run.series):
            return local
        # Few trackers record any.
        from lossmon.hardware.recorded import recorded

        readings = recorded(run.series, now)
        if readings is None or (not readings.gpus and local.host is not None):
            return local
        if run is self._run and local is self._local and readings.note == self._shown.note:
            return self._shown
        host = readings.host or local.host
        self._run, self._local = run, local
        self._shown = HardwareReading(readings.gpus, readings.note, host)
        return self._shown


RECENT = 24 * 3600.0
"""Seconds since its newest point for which a run may be the one that trains here."""

EXPLAINING = frozenset({"gpu_error", "process_gone", "hung_collective", "disk_full"})
"""Findings that are the reason why steps stopped."""

LIVE = frozenset({RunState.WAITING, RunState.RUNNING, RunState.STALLED})


class HardwareFindings:
    """Judges the hardware of runs. One thread calls it."""

    def __init__(self) -> None:
        self._runs: dict[Path, RunHardware] = {}
        self._added: dict[Path, tuple[RunSnapshot, tuple[Finding, ...], RunSnapshot]] = {}
        self._badges: dict[Path, BadgeHistory] = {}

    def added(
        self, runs: Sequence[RunSnapshot], local: HardwareReading, now: float
    ) -> tuple[RunSnapshot, ...]:
        """Return the runs with findings about their hardware; the same objects without a change.

        Args:
            local: The newest reading of this machine. It counts for a run only where that is the
                only one alive: which process writes which run is not known.
            now: Seconds since the Unix epoch.
        """
        live = [run for run in runs if _is_live(run, now)]
        for path in self._runs.keys() - {run.path for run in live}:
            del self._runs[path]
        only = live[0].path if len(live) == 1 else None
        for path in self._badges.keys() - {run.path for run in runs}:
            del self._badges[path]
        return tuple(
            self._with_findings(run, local if run.path == only else HardwareReading(), now)
            if _is_live(run, now)
            else self._with(run, ())
            for run in runs
        )

    def _with_findings(self, run: RunSnapshot, local: HardwareReading, now: float) -> RunSnapshot:
        known = self._runs.get(run.path)
        if known is None and not _has_hardware(run, local):
            return self._with(run, ())
        if known is None:
            # The first frame and `check` do not wait for the rules.
            from lossmon.monitor.run_hardware import RunHardware

            known = self._runs[run.path] = RunHardware()
        return self._with(run, known.findings(run, local, now))

    def _with(self, run: RunSnapshot, findings: tuple[Finding, ...]) -> RunSnapshot:
        """A run with findings, and with what earlier ones did to its badge."""
        badges = self._badges.get(run.path)
        if not findings and badges is None:
            return run
        added = self._added.get(run.path)
        if added is not None and added[0] is run and added[1] is findings:
            return added[2]
        if badges is None:
            badges = self._badges[run.path] = BadgeHistory()
        diagnosis = with_findings(run.diagnosis, findings) if findings else run.diagnosis
        badges.add(run, diagnosis.verdict)
        history = badges.merged(diagnosis.history)
        made = replace(run, diagnosis=replace(diagnosis, history=history))
        self._added[run.path] = (run, findings, made)
        return made


def _has_hardware(run: RunSnapshot, local: HardwareReading) -> bool:
    """Whether there is anything about the hardware of a run that could be judged."""
    if run.nodes or local.gpus or local.host is not None:
        return True
    keys = [one.meaning.key for one in run.series if "gpu" in one.meaning.key]
    if not keys:
        return False
    from lossmon.hardware.recorded import gpu_quantity

    return any(map(gpu_quantity, keys))


def _is_live(run: RunSnapshot, now: float) -> bool:
    return run.state in LIVE and (run.last_time is None or now - run.last_time < RECENT)


def with_findings(diagnosis: Diagnosis, findings: tuple[Finding, ...]) -> Diagnosis:
    """Add findings about hardware; the first is the badge where it matters more than the curve.

    The badge of a run whose steps stopped is the reason, where one is known.
    """
    worst, verdict = findings[0], diagnosis.verdict
    reasons = [finding for finding in findings if finding.code in EXPLAINING]
    if worst.severity > verdict.severity:
        verdict = worst
    elif verdict.code == "stalled" and reasons:
        verdict = reasons[0]
    merged = sorted((*findings, *diagnosis.findings), key=lambda finding: -finding.severity)
    ordered = (verdict, *(finding for finding in merged if finding is not verdict))
    return replace(diagnosis, verdict=verdict, findings=ordered)


MOST = 100
"""Changes that are kept: a finding that comes and goes for days says nothing new."""


class BadgeHistory:
    """What the hardware did to the badge of one run for as long as it was watched."""

    def __init__(self) -> None:
        self._changes: deque[VerdictChange] = deque(maxlen=MOST)
        self._leads = False
        """The badge was about the hardware the last time."""

    def add(self, run: RunSnapshot, badge: Finding) -> None:
        """Take note of the badge now.

        Args:
            run: The run, with the diagnosis of its curves.
            badge: The verdict on its curves and its hardware together.
        """
        step, led = run.step or 0, self._leads
        self._leads = badge is not run.diagnosis.verdict
        while self._changes and self._changes[-1].step > step:
            # The run began anew.
            self._changes.pop()
        last = self._changes[-1] if self._changes else None
        known = last is not None and (last.code, last.severity) == (badge.code, badge.severity)
        if (self._leads or led) and not known:
            change = VerdictChange(step, badge.code, badge.severity, badge.variant, hardware=True)
            self._changes.append(change)

    def merged(self, history: tuple[VerdictChange, ...]) -> tuple[VerdictChange, ...]:
        """The history of the verdicts about the curves with these changes, by their steps."""
        return tuple(heapq.merge(history, self._changes, key=lambda change: change.step))
