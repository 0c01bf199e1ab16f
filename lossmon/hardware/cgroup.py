"""Limits and use of the control groups of this process, version 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
