"""Sampling of the hardware in daemon threads, which a hanging driver or mount does not delay."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lossmon.hardware.amd import AmdGpus
from lossmon.hardware.gpu import Gpus
from lossmon.hardware.host import Host, disk
from lossmon.hardware.processes import Processes
from lossmon.priority import give_way
from lossmon.types import GpuReading, HardwareReading, HostReading

IDLE_INTERVAL = 10.0
"""Seconds between samples while no run is alive."""

DISK_INTERVAL = 10.0
"""Seconds between samples of the disk, which fills with checkpoints, not from second to second."""

UNANSWERED = 10.0
"""Seconds without an answer after which a driver counts as hanging; loading one for eight GPUs
takes several."""

STOP_TIMEOUT = 0.2
"""Seconds that `stop` waits for the threads; one that hangs ends with the process."""

HANGING = "the NVIDIA driver does not answer"


class HardwareSampler:
    """Keeps the newest reading of GPUs, processors, memory and disk.

    GPUs, host and disk have a thread each: one that hangs leaves the others running. Readings are
    settled (see `deadband`): `latest` is the same object until a change exceeds the deadband.

    Args:
        paths: Paths of the watched run, which decide on the disk and on the processes that belong
            to the run.
        interval: Seconds between samples while a run is alive.
        on_change: Set whenever `latest` became another object.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        interval: float = 1.0,
        on_change: threading.Event | None = None,
    ) -> None:
        self._paths = tuple(paths)
        self._interval = interval
        self._on_change = on_change
        self._idle = False
        self._stopping = False
        self._round = 0
        """Number of times that all threads were woken."""
        self._wake = threading.Condition()
        self._latest = HardwareReading()
        self._gpus: tuple[GpuReading, ...] = ()
        self._note = ""
        self._fault = ""
        """Why a thread ended unexpectedly, or empty."""
        self._host: HostReading | None = None
        self._disk: tuple[int, int] | None = None
        self._asked: float | None = None
        """Time at which the driver was asked a question that it has not answered."""
        self._processes = Processes(_names(self._paths))
        self._threads: list[threading.Thread] = []

    @property
    def latest(self) -> HardwareReading:
        """The newest settled reading; empty before the first."""
        return self._latest

    @property
    def idle(self) -> bool:
        """Whether no run is alive: samples are rare then. Setting it to False takes one at once."""
        return self._idle

    @idle.setter
    def idle(self, idle: bool) -> None:
        if idle != self._idle:
            with self._wake:
                self._idle = idle
                if not idle:
                    self._wake_all()

    def update(self, paths: Sequence[Path]) -> None:
        """Watch other paths."""
        if tuple(paths) != self._paths:
            with self._wake:
                self._paths = tuple(paths)
                self._processes.directories = _names(self._paths)
                self._wake_all()

    def start(self) -> None:
        """Start sampling; does nothing if it runs already."""
        if self._threads:
            return
        for watch in (self._watch_gpus, self._watch_host, self._watch_disk):
            name = f"lossmon{watch.__name__}"
            thread = threading.Thread(target=self._guard, args=(watch,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Stop sampling. Returns soon even if a driver hangs."""
        with self._wake:
            self._stopping = True
            self._wake_all()
        deadline = time.monotonic() + STOP_TIMEOUT
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    # ------------------------------------------------------------------ threads

    def _guard(self, watch: Callable[[], None]) -> None:
        """Run a thread at a low priority; an internal error in it becomes the note."""
        try:
            give_way()
            watch()
        except Exception as error:
            with self._wake:
                self._fault = f"hardware sampling stopped: {error!r}"
                self._publish()

    def _watch_gpus(self) -> None:
        gpus, others = Gpus(self._processes), AmdGpus(self._processes)

        def sample(now: float) -> bool:
            self._asked = now
            readings, note = gpus.sample(now)
            if found := others.sample(now, len(readings)):
                readings, note = (*readings, *found), note if readings else ""
            with self._wake:
                self._asked = None
                self._gpus, self._note = readings, note
                self._publish()
            return True

        self._repeat(sample, self._interval)
        gpus.close()
        others.close()

    def _watch_host(self) -> None:
        host = Host()

        def sample(now: float) -> bool:
            reading = host.sample(now)
            with self._wake:
                self._host = reading
                if self._asked is not None and now - self._asked > UNANSWERED:
                    self._gpus = tuple(_silent(gpu) for gpu in self._gpus)
                    self._note = HANGING
                self._publish()
            return reading.cpu is not None

        self._repeat(sample, self._interval)

    def _watch_disk(self) -> None:
        def sample(now: float) -> bool:
            paths = self._paths
            names = tuple(os.path.realpath(path) for path in paths)
            with self._wake:
                if paths is self._paths:
                    self._processes.directories = names
            space = disk(names)
            with self._wake:
                self._disk = space
                self._publish()
            return True

        self._repeat(sample, DISK_INTERVAL)

    def _repeat(self, sample: Callable[[float], bool], interval: float) -> None:
        """Sample periodically, and at once when woken, until stopped.

        Args:
            sample: Takes the moment; says whether what it has is complete.
            interval: Seconds between samples, or more if all is complete and no run is alive.
        """
        while not self._stopping:
            seen = self._round
            complete = sample(time.monotonic())
            rest = complete and self._idle
            self._rest(seen, max(interval, IDLE_INTERVAL) if rest else interval)

    def _rest(self, seen: int, seconds: float) -> None:
        """Sleep until the next sample is due, or until a wake-up after round `seen`."""
        with self._wake:
            self._wake.wait_for(lambda: self._round != seen, seconds)

    def _wake_all(self) -> None:
        """Wake every thread; the lock is held."""
        self._round += 1
        self._wake.notify_all()

    def _publish(self) -> None:
        """Publish the readings if they changed beyond the deadband; the lock is held."""
        host = self._host
        if host is not None and self._disk is not None:
            host = replace(host, disk_free=self._disk[0], disk_total=self._disk[1])
        settled = settle(
            self._latest,
            HardwareReading(self._gpus, self._fault or self._note, host),
            idle=self._idle,
        )
        if settled is not self._latest:
            self._latest = settled
            if self._on_change is not None:
                self._on_change.set()


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return absolute names without access to the file system, which may hang."""
    return tuple(os.path.abspath(path) for path in paths)


def _silent(gpu: GpuReading) -> GpuReading:
    """Return the reading of a GPU whose driver has stopped answering."""
    return GpuReading(gpu.index, gpu.name, memory_total=gpu.memory_total, lost=True)


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
