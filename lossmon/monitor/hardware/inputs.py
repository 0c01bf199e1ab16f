"""Inputs of the monitor: readings of this machine, or those that a tracker recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.recorded import recorded
from lossmon.types import HardwareReading, RunSnapshot


class HardwareInput(Protocol):
    """Hardware readings of this machine.

    Attributes:
        idle: No run is alive, so samples may be rare. Set by the monitor.
    """

    idle: bool

    @property
    def latest(self) -> HardwareReading:
        """The newest reading; the same object until something changes."""
        ...


@dataclass(slots=True)
class NoHardware:
    """Hardware that is not sampled.

    Attributes:
        latest: The reading to show instead.
        idle: Without effect.
    """

    latest: HardwareReading = field(default_factory=HardwareReading)
    idle: bool = True


class HardwareSource:
    """Chooses between the readings of this machine and those of the machine that trains.

    A run that is watched from a login node or a copy trains elsewhere: where this machine has no
    GPU, the readings that the run's tracker recorded are shown.
    """

    def __init__(self) -> None:
        self._run: RunSnapshot | None = None
        self._local: HardwareReading | None = None
        self._shown = HardwareReading()

    def reading(
        self, local: HardwareReading, runs: Sequence[RunSnapshot], now: float
    ) -> HardwareReading:
        """Return the readings to show; the same object until something changes.

        Args:
            local: The newest reading of this machine.
            runs: Every run; the one that was active last counts.
            now: Seconds since the Unix epoch.
        """
        if local.gpus or not runs:
            return local
        run = max(runs, key=lambda one: one.last_time or 0.0)
        readings = recorded(run.series, now)
        if readings is None or (not readings.gpus and local.host is not None):
            return local
        if run is self._run and local is self._local and readings.note == self._shown.note:
            return self._shown
        host = readings.host or local.host
        self._run, self._local = run, local
        self._shown = HardwareReading(readings.gpus, readings.note, host)
        return self._shown
