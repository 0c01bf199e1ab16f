"""Samples the hardware in daemon threads: neither a sick driver nor a dead mount is felt."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.hardware.deadband import settle
from lossmon.hardware.gpu import Gpus
from lossmon.hardware.host import Host, disk
from lossmon.hardware.processes import Processes
from lossmon.types import GpuReading, HardwareReading, HostReading

IDLE_INTERVAL = 10.0
"""Seconds between samples while no run is alive: the panel stays true, the machine at rest."""

DISK_INTERVAL = 10.0
"""Seconds between looks at the disk: it fills by checkpoints, not by the second."""

SILENCE = 10.0
"""Seconds without an answer after which a driver counts as stuck; loading one for eight GPUs
takes several."""

FAREWELL = 0.2
"""Seconds that `stop` waits for the threads; what is stuck longer dies with the process."""

STUCK = "the NVIDIA driver does not answer"


class HardwareSampler:
    """Keeps the newest reading of GPUs, processors, memory and disk.

    GPUs, host and disk have a thread each: one that hangs leaves the others running. Readings are
    settled (see `calm`), so `latest` is the same object as long as nothing worth a look changed.

    Args:
        paths: Where the watched run lives: whose disk is shown, and by what its processes are
            known.
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
        """Counts the times that all threads were called to work at once."""
        self._bell = threading.Condition()
        self._latest = HardwareReading()
        self._gpus: tuple[GpuReading, ...] = ()
        self._note = ""
        self._fault = ""
        """Why a thread ended that should not have."""
        self._host: HostReading | None = None
        self._disk: tuple[int, int] | None = None
        self._asked: float | None = None
        """Moment at which the driver was asked what it has not answered yet."""
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
            with self._bell:
                self._idle = idle
                if not idle:
                    self._call()

    def update(self, paths: Sequence[Path]) -> None:
        """Watch another place."""
        if tuple(paths) != self._paths:
            with self._bell:
                self._paths = tuple(paths)
                self._processes.directories = _names(self._paths)
                self._call()

    def start(self) -> None:
        """Begin to sample; does nothing if it did already."""
        if self._threads:
            return
        for watch in (self._watch_gpus, self._watch_host, self._watch_disk):
            name = f"lossmon{watch.__name__}"
            thread = threading.Thread(target=self._guard, args=(watch,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End sampling. Returns soon even if a driver hangs."""
        with self._bell:
            self._stopping = True
            self._call()
        deadline = time.monotonic() + FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    # ------------------------------------------------------------------ threads

    def _guard(self, watch: Callable[[], None]) -> None:
        """Say that a thread ended by a fault of ours; the screen goes on without it."""
        try:
            watch()
        except Exception as error:
            with self._bell:
                self._fault = f"some readings ended: {error!r}"
                self._publish()

    def _watch_gpus(self) -> None:
        gpus = Gpus(self._processes)

        def sample(now: float) -> bool:
            self._asked = now
            readings, note = gpus.sample(now)
            with self._bell:
                self._asked = None
                self._gpus, self._note = readings, note
                self._publish()
            return True

        self._repeat(sample, self._interval)
        gpus.close()

    def _watch_host(self) -> None:
        host = Host()

        def sample(now: float) -> bool:
            reading = host.sample(now)
            with self._bell:
                self._host = reading
                if self._asked is not None and now - self._asked > SILENCE:
                    self._gpus = tuple(_silent(gpu) for gpu in self._gpus)
                    self._note = STUCK
                self._publish()
            return reading.cpu is not None

        self._repeat(sample, self._interval)

    def _watch_disk(self) -> None:
        def sample(now: float) -> bool:
            paths = self._paths
            names = tuple(os.path.realpath(path) for path in paths)
            with self._bell:
                if paths is self._paths:
                    self._processes.directories = names
            space = disk(names)
            with self._bell:
                self._disk = space
                self._publish()
            return True

        self._repeat(sample, DISK_INTERVAL)

    def _repeat(self, sample: Callable[[float], bool], interval: float) -> None:
        """Sample again and again, at once when called, until stopped.

        Args:
            sample: Takes the moment; says whether what it has is complete.
            interval: Seconds between samples, or more if all is complete and no run is alive.
        """
        while not self._stopping:
            heard = self._round
            complete = sample(time.monotonic())
            rest = complete and self._idle
            self._rest(heard, max(interval, IDLE_INTERVAL) if rest else interval)

    def _rest(self, heard: int, seconds: float) -> None:
        """Sleep until the next sample is due, or until called later than the round we heard."""
        with self._bell:
            self._bell.wait_for(lambda: self._round != heard, seconds)

    def _call(self) -> None:
        """Wake every thread; the bell is held."""
        self._round += 1
        self._bell.notify_all()

    def _publish(self) -> None:
        """Show what is known if it is worth a look; the bell is held."""
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
    """Return absolute names without a look at the file system, which may hang."""
    return tuple(os.path.abspath(path) for path in paths)


def _silent(gpu: GpuReading) -> GpuReading:
    """Return what is left of a reading when the driver has stopped answering."""
    return GpuReading(gpu.index, gpu.name, memory_total=gpu.memory_total, lost=True)
