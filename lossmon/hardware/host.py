"""Processors, memory and disk of this machine, within the limits of the container."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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


UNLIMITED = 1 << 60
"""Bytes at or above which a limit means unlimited: version 1 writes 2^63 less a page."""


class Cgroup:
    """Reads the limits and the use of the control groups of this process.

    A group is limited by its parents too, so each figure is that of the tightest one.

    Args:
        proc: Mount point of `/proc`.
        mount: Mount point of the control groups.
    """

    def __init__(self, proc: Path = Path("/proc"), mount: Path = Path("/sys/fs/cgroup")) -> None:
        self._cpu: tuple[Path, ...] = ()
        self._cpuacct: tuple[Path, ...] = ()
        self._memory: tuple[Path, ...] = ()
        self._unified: tuple[Path, ...] = ()
        for line in _text(proc / "self" / "cgroup").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            names = controllers.split(",")
            if not controllers:
                root = mount if (mount / "cgroup.controllers").exists() else mount / "unified"
                self._unified = tuple(_upwards(root, path))
            if "cpu" in names:
                self._cpu = tuple(_upwards(_controller(mount, controllers, "cpu"), path))
            if "cpuacct" in names:
                self._cpuacct = tuple(_upwards(_controller(mount, controllers, "cpuacct"), path))
            if "memory" in names:
                self._memory = tuple(_upwards(_controller(mount, controllers, "memory"), path))

    def cores(self) -> float | None:
        """Return the processor limit in cores; None if there is no limit."""
        quotas = [quota for quota, _ in self._quotas()]
        return min(quotas, default=None)

    def cpu_seconds(self) -> float | None:
        """Return the processor seconds used by the limited group; None if there is no limit."""
        quotas = list(self._quotas())
        if not quotas:
            return None
        group = min(quotas)[1]
        for line in _text(group / "cpu.stat").splitlines():
            name, _, value = line.partition(" ")
            if name == "usage_usec":
                return int(value) * 1e-6
        if self._cpuacct and group in self._cpu:
            group = self._cpuacct[min(self._cpu.index(group), len(self._cpuacct) - 1)]
        used = _number(group / "cpuacct.usage")
        return None if used is None else used * 1e-9

    def memory(self) -> tuple[int, int] | None:
        """Return the bytes used and the limit; None if there is no limit.

        Inactive file cache does not count as used, as in container tools.
        """
        limits = [
            (limit, group, names)
            for groups, names in (
                (self._unified, ("memory.max", "memory.current", "inactive_file")),
                (
                    self._memory,
                    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
                ),
            )
            for group in groups
            if (limit := _number(group / names[0])) is not None and limit < UNLIMITED
        ]
        if not limits:
            return None
        limit, group, (_, current, cache) = min(limits)
        used = _number(group / current)
        if used is None:
            return None
        return max(0, used - _field(group / "memory.stat", cache)), limit

    def _quotas(self) -> Iterator[tuple[float, Path]]:
        """Yield the limit in cores of each group with a limit."""
        for group in self._unified:
            quota, _, period = _text(group / "cpu.max").partition(" ")
            if quota.isdigit() and period.strip().isdigit():
                yield int(quota) / int(period), group
        for group in self._cpu:
            quota_us = _number(group / "cpu.cfs_quota_us")
            period_us = _number(group / "cpu.cfs_period_us")
            if quota_us and period_us and quota_us > 0:
                yield quota_us / period_us, group


def _controller(mount: Path, controllers: str, name: str) -> Path:
    """Return the mount point of a version 1 controller: `cpu,cpuacct`, or a link of one name."""
    together = mount / controllers
    return together if together.exists() else mount / name


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """Yield the group and its parents; of a path that only the host sees, the root."""
    group = root / path.lstrip("/")
    if not group.is_dir() or ".." in group.parts:
        group = root
    while group != root and root in group.parents:
        yield group
        group = group.parent
    yield root


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _field(path: Path, name: str) -> int:
    for line in _text(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
