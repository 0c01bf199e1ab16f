"""Which changes of a reading are worth showing: a screen at rest must not flicker with noise."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from lossmon.types import GpuReading, HardwareReading, HostReading

Number = TypeVar("Number", int, float)

LIVE_CPU = 3.0
"""Points of CPU use that count while the run is alive: one second of a busy machine differs from
the next by two or three for no reason."""

IDLE_CPU = 10.0
"""The same while it is not: then only a machine that somebody begins to use is news."""

MEMORY_SHARE = 0.01
"""Share of all memory that counts: a bar of ten to twenty cells shows no less."""

DISK_SHARE = 0.001
"""Share of the disk that counts: a checkpoint is seen, a growing log is not."""

IDLE_WATTS = 5.0
"""Watts that count while the run is not alive: a resting GPU drifts by one or two."""

IDLE_DEGREES = 2.0
"""Degrees that count while the run is not alive: fans hold a resting GPU within one."""


def settle(shown: HardwareReading, fresh: HardwareReading, *, idle: bool) -> HardwareReading:
    """Return what to show next: the very object shown before if nothing worth a look changed.

    Args:
        shown: What is shown.
        fresh: What was measured since.
        idle: The run is not alive.
    """
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
    """Return the fresh reading, its noise held; while a run is alive every digit is news."""
    history = fresh.utilization_history
    if len(set(history)) <= 1 and set(history) == set(shown.utilization_history):
        # A longer line of equal bars says nothing new.
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
    """Return the shown value unless the fresh one is at least so far from it."""
    if shown is None or fresh is None or abs(fresh - shown) >= least:
        return fresh
    return shown
