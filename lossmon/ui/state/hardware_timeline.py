"""Hardware timeline: load and memory of every GPU over time, as long as the screen is open."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.recorded import gpu_quantity
from lossmon.types import (
    Floats,
    GpuReading,
    NodeGpuHistory,
    NodeReading,
    RunSnapshot,
    Series,
    Snapshot,
)
from lossmon.types.hardware import is_recorded

INTERVAL = 2.0
"""Seconds between two samples that are kept."""

MOST = 2048
"""Samples per GPU; then every other one is dropped, and the interval doubles for that GPU."""


@dataclass(frozen=True, slots=True, eq=False)
class GpuTrack:
    """One GPU over time.

    Attributes:
        node: Host name, empty for the machine of the screen and for recorded GPUs.
        reading: Its newest reading.
        load: Times (seconds since the Unix epoch) and utilizations, 0 to 100.
        memory: Times and used shares of its memory, 0 to 100.
    """

    node: str
    reading: GpuReading
    load: tuple[Floats, Floats]
    memory: tuple[Floats, Floats]


class _Samples:
    """Samples of one GPU, thinned as they become many."""

    def __init__(self) -> None:
        self.reading: GpuReading | None = None
        self._rows: list[tuple[float, float, float]] = []
        self._interval = INTERVAL
        self._columns: Floats | None = None

    def add(self, time: float, reading: GpuReading) -> None:
        self.reading = reading
        if self._rows and time - self._rows[-1][0] < self._interval:
            return
        self._rows.append((time, _number(reading.utilization), memory_share(reading)))
        self._columns = None
        if len(self._rows) > MOST:
            self._rows = self._rows[::2]
            self._interval *= 2

    def seed(self, reading: GpuReading, history: NodeGpuHistory) -> None:
        """Put earlier samples in front."""
        self.reading = self.reading or reading
        first = self._rows[0][0] if self._rows else math.inf
        rows = zip(
            history.times.tolist(),
            history.utilization.tolist(),
            history.memory_share.tolist(),
            strict=True,
        )
        self._rows[:0] = [row for row in rows if row[0] < first]
        self._columns = None

    def track(self, node: str) -> GpuTrack:
        if self._columns is None:
            self._columns = np.array(self._rows, np.float64).T.copy()
        times, load, memory = self._columns
        assert self.reading is not None
        return GpuTrack(node, self.reading, (times, load), (times, memory))


class HardwareTimeline:
    """Follows the GPUs of this machine and of the nodes of the run in view."""

    def __init__(self) -> None:
        self._path: object = None
        self._gpus: dict[tuple[str, int], _Samples] = {}
        self._seeded: set[tuple[str, int]] = set()

    def update(self, snapshot: Snapshot, run: RunSnapshot | None) -> None:
        """Take the newest readings."""
        path = None if run is None else run.path
        if path != self._path:
            self._path = path
            self._gpus = {key: one for key, one in self._gpus.items() if not key[0]}
            self._seeded.clear()
        for node in () if run is None else run.nodes:
            for history in node.histories:
                self._seed(node, history)
            if not node.stale:
                self._add(node.name, node.time, node.gpus)
        if not snapshot.hardware.note.startswith("recorded"):
            self._add("", snapshot.time, snapshot.hardware.gpus)

    def _seed(self, node: NodeReading, history: NodeGpuHistory) -> None:
        """Put what was recorded before the screen opened in front of the samples of a GPU."""
        key = node.name, history.index
        if key in self._seeded:
            return
        self._seeded.add(key)
        reading = next((gpu for gpu in node.gpus if gpu.index == history.index), None)
        if reading is not None:
            self._gpus.setdefault(key, _Samples()).seed(reading, history)

    def _add(self, node: str, time: float, gpus: Sequence[GpuReading]) -> None:
        for gpu in gpus:
            self._gpus.setdefault((node, gpu.index), _Samples()).add(time, gpu)

    def tracks(self, snapshot: Snapshot, run: RunSnapshot | None) -> list[GpuTrack]:
        """The GPUs of the nodes of a run; without nodes those of this machine, and where there are
        none those that a tracker recorded."""
        nodes = {node.name for node in run.nodes} if run is not None else set()
        keys = [key for key in self._gpus if key[0] in nodes] or [
            key for key in self._gpus if not key[0]
        ]
        if keys:
            return [self._gpus[key].track(key[0]) for key in sorted(keys)]
        return [] if run is None else _recorded(snapshot.hardware.gpus, run.series)


def system_series(series: Sequence[Series]) -> list[Series]:
    """Recorded series of the machine that say more than the load and the memory of whole GPUs."""
    found = [
        one
        for one in series
        if is_recorded(one.meaning.key) and len(one) and not one.meaning.summary
    ]
    fields = [gpu_quantity(one.meaning.key) for one in found]
    in_watts = {field[0] for field in fields if field is not None and field[1] == "power"}
    return [
        one
        for one, field in zip(found, fields, strict=True)
        if field is None
        or not (field[1] in _SHOWN or (field[1] == "power_percent" and field[0] in in_watts))
    ]


_SHOWN = ("utilization", "memory_percent", "memory_used", "memory_total")
"""Fields of the chart of a GPU itself."""


def _recorded(gpus: Sequence[GpuReading], series: Sequence[Series]) -> list[GpuTrack]:
    columns: dict[tuple[int, str], tuple[Floats, Floats]] = {}
    for one in series:
        quantity = gpu_quantity(one.meaning.key)
        if quantity is not None:
            columns[quantity[:2]] = (one.wall_times, one.values * quantity[2])
    empty = (np.empty(0), np.empty(0))
    tracks = []
    for gpu in gpus:
        memory = columns.get((gpu.index, "memory_percent"), empty)
        used = columns.get((gpu.index, "memory_used"))
        if used is not None and gpu.memory_total:
            memory = (used[0], used[1] / gpu.memory_total * 100)
        load = columns.get((gpu.index, "utilization"), empty)
        if len(load[0]) or len(memory[0]):
            tracks.append(GpuTrack("", gpu, load, memory))
    return tracks


def memory_share(gpu: GpuReading) -> float:
    """Used share of its memory, 0 to 100; NaN where it is not known."""
    if gpu.memory_used is None or not gpu.memory_total:
        return float("nan")
    return gpu.memory_used / gpu.memory_total * 100


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
