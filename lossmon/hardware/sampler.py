"""Sampling of the hardware in daemon threads, which a hanging driver or mount does not delay."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.hardware.amd import AmdGpus
from lossmon.hardware.deadband import settle
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
