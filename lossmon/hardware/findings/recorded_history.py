"""Histories of the hardware and of the steps that the series of a run hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lossmon.hardware.findings.situation import (
    KEPT,
    MEMORY_KEPT,
    GpuHistory,
    GpuSample,
    StepSample,
)
from lossmon.hardware.recorded import MOST_GPUS, gpu_quantity
from lossmon.types import Floats, GpuReading, Series

LATE = 120.0
"""Seconds by which the newest record may be old: trackers record twice a minute or more rarely."""

MOST = 4096
"""Newest points per series that are read."""

_NAME = "GPU"
"""Product name, which trackers do not record as a number: GPUs of a machine are of one kind."""

Columns = dict[str, tuple[Floats, Floats]]
"""Times and values by the field of a reading."""


def recorded_gpus(series: Sequence[Series], now: float) -> tuple[GpuHistory, ...]:
    """The GPUs that a tracker recorded, where that goes on; else nothing.

    Args:
        series: Every scalar of one run.
        now: Seconds since the Unix epoch.
    """
    gpus: dict[int, Columns] = {}
    for one in series:
        found = gpu_quantity(one.meaning.key)
        if found is None or (found[0] not in gpus and len(gpus) >= MOST_GPUS):
            continue
        times, values = one.wall_times[-MOST:], one.values[-MOST:]
        good = np.isfinite(times) & np.isfinite(values)
        if good.any() and now - float(times[good][-1]) <= LATE:
            gpus.setdefault(found[0], {})[found[1]] = (times[good], values[good] * found[2])
    return tuple(_history(index, gpus[index]) for index in sorted(gpus))


def recorded_steps(train: Series | None, now: float) -> Iterable[StepSample]:
    """The steps of the last hour, where their times are known."""
    if train is None:
        return
    times, steps = train.wall_times[-MOST:], train.steps[-MOST:]
    good = np.isfinite(times) & (times > now - KEPT) & (times <= now)
    for time, step in zip(times[good].tolist(), steps[good].tolist(), strict=True):
        yield StepSample(time, step)


def _history(index: int, columns: Columns) -> GpuHistory:
    history = GpuHistory("", GpuReading(index, _NAME))
    longest = max(columns.values(), key=lambda column: len(column[0]))[0]
    begin = float(longest[-1]) - max(KEPT, MEMORY_KEPT * 60.0)
    total = _memory_total(columns)
    for time in longest[longest > begin].tolist():
        values = {field: _at(column, time) for field, column in columns.items()}
        memory = values.get("memory_used")
        if memory is None and total and (percent := values.get("memory_percent")) is not None:
            memory = total * percent / 100
        history.put(
            GpuSample(
                time,
                values.get("utilization"),
                None if memory is None else int(memory),
                values.get("power"),
                values.get("sm_clock"),
                values.get("temperature"),
            )
        )
    limit = _at(columns["power_limit"], np.inf) if "power_limit" in columns else None
    used = history.samples[-1].memory_used if history.samples else None
    history.reading = GpuReading(
        index, _NAME, memory_used=used, memory_total=total, power_limit=limit
    )
    return history


def _at(column: tuple[Floats, Floats], time: float) -> float | None:
    """The value at a moment: the newest one up to it."""
    place = int(np.searchsorted(column[0], time, side="right")) - 1
    return float(column[1][place]) if place >= 0 else None


def _memory_total(columns: Columns) -> int | None:
    """Bytes of the GPU: recorded, or from bytes and percent of the same moment."""
    if "memory_total" in columns:
        return int(columns["memory_total"][1][-1])
    if "memory_used" not in columns or "memory_percent" not in columns:
        return None
    used, percent = float(columns["memory_used"][1][-1]), float(columns["memory_percent"][1][-1])
    return int(used / percent * 100) if 1 <= percent <= 100 and used > 0 else None
