"""Sources of snapshots: what a screen, a report or an exporter asks for its runs."""

from __future__ import annotations

import contextlib
import math
import operator
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lossmon.monitor.hardware import NoHardware
from lossmon.monitor.monitor import Monitor, MonitorConfig
from lossmon.types import PENDING_HARDWARE, HardwareReading, MetricNames, RunSnapshot, Snapshot

if TYPE_CHECKING:
    from lossmon.hardware.sampler import HardwareSampler
    from lossmon.watch import Watch


class RunSource(Protocol):
    """Where runs come from: files of this machine or of another one, or a Prometheus server.

    One thread calls `poll`; any thread may call the others.
    """

    @property
    def changed(self) -> threading.Event:
        """Set when a poll may give something new; cleared by who polls."""
        ...

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read what is new.

        Args:
            budget: Seconds after which to return with what is there.
            judge: Also update the diagnoses; else that is left to the next call.

        Returns:
            The state of every run; the same object until something changes.
        """
        ...

    def drain(self) -> Snapshot:
        """Read and judge everything that is there now, however long it takes."""
        ...

    def begin(self) -> None:
        """Start what may wait until the first frame stands: events of files, hardware samples."""
        ...

    def prioritise(self, paths: Collection[Path]) -> None:
        """Read and judge these runs before the others."""
        ...

    def set_metric_names(self, names: MetricNames) -> None:
        """Replace the user's names of metrics."""
        ...

    def load_settings(self, paths: Collection[Path]) -> None:
        """Read the settings files of these runs."""
        ...

    def stop(self) -> None:
        """End what `begin` started; a poll that comes late starts nothing."""
        ...


class LazySampler:
    """The hardware, sampled from `start` on: neither psutil nor NVML delays the first frame."""

    def __init__(self, paths: Sequence[Path], changed: threading.Event) -> None:
        self._paths, self._changed = paths, changed
        self._idle = False
        self._sampler: HardwareSampler | None = None
        self._pending = replace(PENDING_HARDWARE, expected=_gpu_devices())

    @property
    def latest(self) -> HardwareReading:
        """The newest reading; before the first what is known without a library."""
        newest = None if self._sampler is None else self._sampler.latest
        return self._pending if newest in (None, HardwareReading()) else newest

    @property
    def idle(self) -> bool:
        """Whether samples may be rare."""
        return self._idle

    @idle.setter
    def idle(self, idle: bool) -> None:
        self._idle = idle
        if self._sampler is not None:
            self._sampler.idle = idle

    def start(self) -> None:
        """Begin to sample."""
        from lossmon.hardware.sampler import HardwareSampler

        sampler = HardwareSampler(self._paths, on_change=self._changed)
        sampler.idle = self._idle
        sampler.start()
        self._sampler = sampler

    def stop(self) -> None:
        """End sampling."""
        if self._sampler is not None:
            self._sampler.stop()


def _gpu_devices(folder: Path = Path("/dev")) -> int:
    """How many NVIDIA GPUs have a device node, in a container those that it was given."""
    with contextlib.suppress(OSError):
        names = (name.removeprefix("nvidia") for name in os.listdir(folder))
        return sum(name.isdecimal() for name in names)
    return 0


STEADY = 4
"""Polls in a row with something new after which a run is read without events of its files."""

OFTEN = 1.0
"""Most seconds between two polls of who looks often enough to do without events."""

FLOOD = 200
"""Events within a second above which polling costs less: a database that is written in a tight loop
causes thousands, and each delays its writer a little."""

FLOOD_PAUSE = 30.0
"""Seconds without events after a flood of them; files are looked at by polling meanwhile."""


class LocalSource:
    """Runs whose files this machine sees, and its hardware.

    Args:
        paths: Run directories, directories of runs, or log files; need not exist yet.
        hardware: Sample the GPUs and the host.
        changed: The event to set; one of its own if None.
        clock: Seconds since the Unix epoch.
        notes: Notes that every snapshot has.
        unsampled: What is said of the hardware where it is not sampled.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        config: MonitorConfig | None = None,
        *,
        hardware: bool = True,
        changed: threading.Event | None = None,
        clock: Callable[[], float] = time.time,
        notes: tuple[str, ...] = (),
        unsampled: str = "hardware is not sampled (--no-hardware)",
    ) -> None:
        self.changed = changed or threading.Event()
        self._notes = notes
        self._paths = tuple(paths)
        self._sampler = LazySampler(paths, self.changed) if hardware else None
        sampled = self._sampler or NoHardware(HardwareReading(note=unsampled))
        self._monitor = Monitor(paths, config, hardware=sampled, clock=clock)
        self.prioritise = self._monitor.prioritise
        self.set_metric_names = self._monitor.set_metric_names
        self.load_settings = self._monitor.load_settings
        self.drain = self._monitor.drain
        self._watch: Watch | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._files: tuple[Path, ...] = ()
        self._runs: tuple[RunSnapshot, ...] = ()
        self._news, self._polled = 0, -math.inf
        """Polls in a row that found something new, and when the last one was."""
        self._counted, self._counted_at = 0, 0.0
        """Events at the last count of them, and when that was."""
        self._paused_until = -math.inf
        self._plain, self._noted = Snapshot(), Snapshot()

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read for about `budget` seconds; the same object as before while nothing changed."""
        snapshot = self._monitor.poll(budget, judge=judge)
        if self._watch is not None:
            self._end_flood(self._watch)
            if self._files is not self._monitor.files:
                self._files = self._monitor.files
                self._watch.update(self._files)
        if not snapshot.busy:
            self._choose_events(snapshot.runs)
        return self._with_notes(snapshot)

    def _choose_events(self, runs: tuple[RunSnapshot, ...]) -> None:
        """Do without events while every poll finds something new, as of a run that writes often."""
        now = time.monotonic()
        is_new = len(runs) != len(self._runs) or any(map(operator.is_not, runs, self._runs))
        self._news = self._news + 1 if is_new and now - self._polled < OFTEN else 0
        self._runs, self._polled = runs, now
        if self._watch is None or now < self._paused_until:
            return
        if self._news == STEADY:
            self._watch.pause()
        elif not self._news:
            self._watch.resume()

    def _end_flood(self, watch: Watch) -> None:
        """Begin a pause where too many events came within a second."""
        now = time.monotonic()
        seconds = now - self._counted_at
        if watch.events - self._counted > FLOOD * max(seconds, 1.0):
            watch.pause()
            self._paused_until = now + FLOOD_PAUSE
        elif seconds < 1.0:
            return
        self._counted, self._counted_at = watch.events, now

    def begin(self) -> None:
        """Start to watch the files and to sample the hardware."""
        from lossmon.watch import Watch

        with self._lock:
            if self._stopped or self._watch is not None:
                return
            # The watch asks the file system, which may hang; GPUs do not need it.
            if self._sampler is not None:
                self._sampler.start()
            self._watch = Watch(self._paths, self.changed)
            self._watch.start()

    def _with_notes(self, snapshot: Snapshot) -> Snapshot:
        """Add the notes of the source, and why changes come late, where they do."""
        notes = (*self._notes, *(() if self._watch is None else self._watch.notes))
        if not notes:
            return snapshot
        wanted = (*snapshot.notes, *notes)
        if snapshot is not self._plain or wanted != self._noted.notes:
            self._plain, self._noted = snapshot, replace(snapshot, notes=wanted)
        return self._noted

    def stop(self) -> None:
        """End watching and sampling."""
        with self._lock:
            self._stopped = True
        if self._watch is not None:
            self._watch.stop()
        if self._sampler is not None:
            self._sampler.stop()
