"""Deadband of readings: changes below it are not shown, so that the screen does not flicker."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from lossmon.types import GpuReading, HardwareReading, HostReading

Number = TypeVar("Number", int, float)

LIVE_CPU = 3.0
"""Percentage points of CPU use that are shown while a run is alive: a busy machine varies by two
or three from second to second."""

IDLE_CPU = 10.0
"""The same while no run is alive: then only a machine that gets busy is of interest."""

MEMORY_SHARE = 0.01
"""Share of all memory that is shown: a bar of ten to twenty cells has no finer steps."""

DISK_SHARE = 0.001
"""Share of the disk that is shown: a checkpoint, but not a growing log."""

IDLE_WATTS = 5.0
"""Watts that are shown while no run is alive: an idle GPU drifts by one or two."""

IDLE_DEGREES = 2.0
"""Degrees that are shown while no run is alive: fans keep an idle GPU within one."""


def settle(shown: HardwareReading, fresh: HardwareReading, *, idle: bool) -> HardwareReading:
    """Return the reading to show next: the same object where no change exceeds the deadband."""
    host = _settle_host(shown.host, fresh.host, IDLE_CPU if idle else LIVE_CPU)
    gpus = fresh.gpus
    if len(gpus) == len(shown.gpus):
        gpus = tuple(
            _settle_gpu(before, after, idle) for before, after in zip(shown.gpus, gpus, strict=True)
        )
    settled = HardwareReading(gpus, fresh.note, host)
    return shown if settled == shown else settled


def _settle_host(
    shown: HostReading | None, fresh: HostReading | None, cpu: float
) -> HostReading | None:
    if shown is None or fresh is None or shown.name != fresh.name:
        return fresh or shown
    disk = (fresh.disk_total or 0) * DISK_SHARE
    return replace(
        fresh,
        cpu=_hold(shown.cpu, fresh.cpu, cpu),
        memory_used=_hold(
            shown.memory_used, fresh.memory_used, (fresh.memory_total or 0) * MEMORY_SHARE
        ),
        disk_free=_hold(shown.disk_free, fresh.disk_free, disk),
    )


def _settle_gpu(shown: GpuReading, fresh: GpuReading, idle: bool) -> GpuReading:
    """Return the new reading without noise; while a run is alive, every change is shown."""
    history = fresh.utilization_history
    if len(set(history)) <= 1 and set(history) == set(shown.utilization_history):
        # A longer line of equal bars shows nothing new.
        history = shown.utilization_history
    if not idle:
        return replace(fresh, utilization_history=history)
    held = replace(
        fresh,
        power=_hold(shown.power, fresh.power, IDLE_WATTS),
        temperature=_hold(shown.temperature, fresh.temperature, IDLE_DEGREES),
        utilization_history=shown.utilization_history,
    )
    return held if held == shown else replace(held, utilization_history=history)


def _hold(shown: Number | None, fresh: Number | None, least: float) -> Number | None:
    """Return the shown value unless the new one differs from it by at least `least`."""
    if shown is None or fresh is None or abs(fresh - shown) >= least:
        return fresh
    return shown
