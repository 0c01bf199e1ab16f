"""Hardware of one run, followed from sample to sample and judged."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lossmon.hardware.findings import hardware_findings, ordered
from lossmon.hardware.findings.recorded_history import recorded_gpus, recorded_steps
from lossmon.hardware.findings.situation import (
    INTERVAL,
    GoneProcesses,
    GpuHistory,
    HostHistory,
    Situation,
    StepHistory,
)
from lossmon.hardware.recorded import gpu_quantity
from lossmon.types import (
    Finding,
    GpuReading,
    HardwareReading,
    HostReading,
    NodeReading,
    ProcessState,
    RunSnapshot,
)

HELD = 60.0
"""Seconds for which a finding stays after its condition ended: a badge must not flicker."""

SEEN = 60.0
"""Seconds for which a process must have been seen before it can be missed."""

CURRENT = 600.0
"""Seconds without a reading after which a GPU or a host is that of an earlier job."""

FEW, MANY = 128, 1024
"""GPUs up to which an hour of samples is kept, and only as much as the rules need; beyond, the
newest reading alone is judged."""

SHORT = 660.0
"""Seconds of samples that the rules need: the longest window, and a little more."""

USED = 1 << 30
"""Bytes by which a GPU counts as used where the driver lists no processes, as in a container."""

NEARLY_FULL = 0.15
"""Share of free space below which the size of a checkpoint matters."""


class RunHardware:
    """The hardware of one run."""

    def __init__(self) -> None:
        self._steps = StepHistory()
        self._gpus: dict[tuple[str, int], GpuHistory] = {}
        self._hosts: dict[str, HostHistory] = {}
        self._times: dict[str, float] = {}
        """Time of the newest sample, by node."""
        self._present: dict[str, tuple[float, str]] = {}
        """Since when processes are there, and the name of one, by node."""
        self._gone: dict[str, GoneProcesses] = {}
        self._size: tuple[object, int | None] = (None, None)
        self._series, self._is_recorded = -1, False
        """Series of the run, and whether some describe a GPU."""
        self._judged = -1.0
        self._read = (False, 0)
        self._held: dict[str, tuple[float, Finding]] = {}
        self._findings: tuple[Finding, ...] = ()

    def findings(self, run: RunSnapshot, local: HardwareReading, now: float) -> tuple[Finding, ...]:
        """Every finding, the most important first; the same object while nothing changed.

        Args:
            local: The reading of this machine; empty where it does not count for the run.
            now: Seconds since the Unix epoch.
        """
        read = (run.loaded >= 1.0, len(run.series))
        if 0 <= now - self._judged < INTERVAL and read == self._read:
            return self._findings
        self._judged, self._read = now, read
        if run.loaded < 1.0:
            return self._findings
        self._follow(run, local, now)
        gpus = tuple(one for one in self._gpus.values() if now - one.seen < CURRENT)
        gpus = gpus or self._recorded(run, now)
        is_known = bool(gpus or self._hosts or self._gone)
        found = hardware_findings(self._situation(run, gpus, now)) if is_known else ()
        held = self._hold(found, now)
        if held != self._findings:
            self._findings = held
        return self._findings

    def _hold(self, found: tuple[Finding, ...], now: float) -> tuple[Finding, ...]:
        """Keep what held a moment ago."""
        for finding in found:
            self._held[finding.code] = (now, finding)
        self._held = {c: one for c, one in self._held.items() if 0 <= now - one[0] < HELD}
        return ordered(finding for _, finding in self._held.values())

    def _recorded(self, run: RunSnapshot, now: float) -> tuple[GpuHistory, ...]:
        """The GPUs that a tracker recorded."""
        if len(run.series) != self._series:
            self._series = len(run.series)
            self._is_recorded = any(gpu_quantity(one.meaning.key) for one in run.series)
        return recorded_gpus(run.series, now) if self._is_recorded else ()

    def _situation(self, run: RunSnapshot, gpus: tuple[GpuHistory, ...], now: float) -> Situation:
        since = min((time for time, _ in self._present.values()), default=None)
        return Situation(
            run=run,
            now=now,
            steps=self._steps,
            gpus=gpus,
            hosts=tuple(h for h in self._hosts.values() if now - h.samples[-1].time < CURRENT),
            gone=tuple(sorted(self._gone.values(), key=lambda one: one.since)),
            on_gpu_since=since,
            checkpoint_size=self._size_of(run),
        )

    # ------------------------------------------------------------------------------- following

    def _follow(self, run: RunSnapshot, local: HardwareReading, now: float) -> None:
        if not self._steps.samples:
            self._steps.samples.extend(recorded_steps(run.train_loss, now))
        self._steps.add(now, run.step)
        if run.nodes:
            for node in run.nodes:
                self._follow_node(node)
        elif local.host is not None or local.gpus:
            self._follow_local(local, now)

    def _follow_node(self, node: NodeReading) -> None:
        if node.stale or node.time <= self._times.get(node.name, 0.0):
            return
        self._times[node.name] = node.time
        self._add(node.name, node.gpus, node.host, node.time)
        if not node.processes:
            return
        alive = [p for p in node.processes if p.state is not ProcessState.GONE]
        names = [p.name for p in alive or node.processes]
        self._note_processes(node.name, names[0] if alive else "", node.time, bool(alive))

    def _follow_local(self, local: HardwareReading, now: float) -> None:
        own = list(self._own(local.gpus))
        self._add("", own, local.host, now)
        names = [p.name for gpu in own for p in gpu.processes if p.own]
        is_readable = bool(local.gpus) and not local.note and not any(g.lost for g in local.gpus)
        if names or is_readable:
            self._note_processes("", names[0] if names else "", now, bool(names))

    def _own(self, gpus: tuple[GpuReading, ...]) -> Iterator[GpuReading]:
        """The GPUs of this machine that the run uses, or used before they were lost."""
        is_hidden = not any(gpu.processes for gpu in gpus)
        for gpu in gpus:
            is_known = ("", gpu.index) in self._gpus
            is_used = is_hidden and (gpu.memory_used or 0) >= USED
            if any(p.own for p in gpu.processes) or is_used or (gpu.lost and is_known):
                yield gpu

    def _add(
        self,
        node: str,
        gpus: list[GpuReading] | tuple[GpuReading, ...],
        host: HostReading | None,
        time: float,
    ) -> None:
        for gpu in gpus:
            history = self._gpus.get((node, gpu.index))
            if history is None:
                history = self._gpus[node, gpu.index] = GpuHistory(node, gpu)
                self._bound(history)
            history.add(time, gpu)
        if host is not None:
            known = self._hosts.setdefault(node, HostHistory(node, host))
            known.add(time, host)

    def _bound(self, added: GpuHistory) -> None:
        """Keep less per GPU where a run has very many."""
        count = len(self._gpus)
        if count > FEW:
            added.kept = SHORT if count <= MANY else 0.0
        if count == FEW + 1:
            for history in self._gpus.values():
                history.kept = SHORT

    def _note_processes(self, node: str, name: str, time: float, are_there: bool) -> None:
        """Note that processes of the run are there, or are not any more."""
        before = self._present.get(node)
        if are_there:
            self._gone.pop(node, None)
            self._present[node] = (before[0] if before else time, name)
        elif before is not None:
            del self._present[node]
            if time - before[0] >= SEEN:
                self._gone[node] = GoneProcesses(node, before[1], time)

    def _size_of(self, run: RunSnapshot) -> int | None:
        """Size of a checkpoint, measured where the disk is nearly full and one was added."""
        nearly_full = any(
            host.reading.disk_free is not None
            and host.reading.disk_free < NEARLY_FULL * (host.reading.disk_total or 0)
            for host in self._hosts.values()
        )
        if not nearly_full:
            return None
        if self._size[0] != run.checkpoints:
            self._size = (run.checkpoints, checkpoint_size(run))
        return self._size[1]


NEWEST = 3
"""Newest checkpoints that are measured; the newest may still be written."""

MOST_FILES = 512
"""Files per checkpoint that are measured: shards of a large model on many ranks."""

FOLDERS = ("", "checkpoints", "ckpt", "weights")
"""Where checkpoints lie in a run."""


def checkpoint_size(run: RunSnapshot) -> int | None:
    """Bytes of the largest of the newest checkpoints, None where none can be measured."""
    base = run.path if run.path.is_dir() else run.path.parent
    sizes = []
    for _, name in run.checkpoints[-NEWEST:]:
        places = (os.path.join(base, folder, name) for folder in FOLDERS)
        size = next((size for place in places if (size := _size(place))), 0)
        sizes.append(size)
    return max(sizes, default=0) or None


def _size(path: str) -> int:
    try:
        if os.path.isfile(path):
            return os.path.getsize(path)
        return sum(size for _, size in zip(range(MOST_FILES), _files(path), strict=False))
    except OSError:
        return 0


def _files(path: str) -> Iterator[int]:
    """Sizes of the files of a directory and of those in it."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                with os.scandir(entry.path) as inner:
                    yield from (one.stat().st_size for one in inner if one.is_file())
            elif entry.is_file():
                yield entry.stat().st_size
