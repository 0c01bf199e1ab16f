"""Processors, memory and disk of this machine, within the limits of the container."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lossmon.hardware.cgroup import Cgroup
from lossmon.types import HostReading

SHORTEST = 0.2
"""Shortest interval in seconds for CPU use: the kernel counts in hundredths."""


class Host:
    """Samples processors and memory: of the container if it has limits, else of the machine."""

    def __init__(self, cgroup: Cgroup | None = None, psutil: Any = None) -> None:
        if psutil is None:
            import psutil
        self._psutil = psutil
        self._cgroup = cgroup or Cgroup()
        self._name = platform.node()
        self._before: tuple[float, float] | None = None
        """Moment and busy seconds of the sample before."""
        self._share: float | None = None

    def sample(self, now: float) -> HostReading:
        """Return a reading without the disk.

        Args:
            now: `time.monotonic()` seconds.
        """
        cores = self._cores()
        used, total = self._memory()
        return HostReading(
            name=self._name,
            cpu=self._cpu(now, cores),
            cpu_count=math.ceil(cores),
            memory_used=used,
            memory_total=total,
        )

    def _cores(self) -> float:
        """Return the number of usable cores: those of the affinity mask, or fewer by quota."""
        bound = float(len(_allowed()))
        return min(bound, self._cgroup.cores() or bound)

    def _cpu(self, now: float, cores: float) -> float | None:
        busy = self._busy_seconds()
        if self._before is None:
            self._before = (now, busy)
            return None
        elapsed = now - self._before[0]
        if elapsed >= SHORTEST:
            share = (busy - self._before[1]) / elapsed / cores
            self._before = (now, busy)
            self._share = 100.0 * min(1.0, max(0.0, share))
        return self._share

    def _busy_seconds(self) -> float:
        """Return the processor seconds used by our group if it is limited, else by all."""
        used = self._cgroup.cpu_seconds()
        if used is not None:
            return used
        times = self._psutil.cpu_times(percpu=True)
        # Guest time is part of user time, and a core that waits for a disk is idle.
        return float(
            sum(
                sum(times[core]) - times[core].idle - _waiting(times[core])
                for core in _allowed()
                if core < len(times)
            )
        )

    def _memory(self) -> tuple[int, int]:
        machine = self._psutil.virtual_memory()
        limited = self._cgroup.memory()
        if limited is not None and limited[1] < machine.total:
            return limited
        return int(machine.total - machine.available), int(machine.total)


def disk(paths: Sequence[str]) -> tuple[int, int] | None:
    """Return the free bytes and the size of the file system of the first path.

    Blocks as long as a dead network mount, so use a daemon thread.
    """
    for path in paths:
        for folder in (Path(path), *Path(path).parents):
            try:
                status = os.statvfs(folder)
            except OSError:
                continue
            return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    return None


def _allowed() -> frozenset[int]:
    """Return the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def _waiting(times: Any) -> float:
    """Return the part of the sum of times that is neither idle nor busy."""
    return sum(float(getattr(times, name, 0.0)) for name in ("iowait", "guest", "guest_nice"))
