"""Whose hardware is shown: this machine's, or what a run's tracker recorded of its own."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.hardware.recorded import recorded
from lossmon.types import HardwareReading, RunSnapshot


class HardwareSource:
    """Chooses between the hardware here and that of the machine that trains.

    A run that is watched from a login node or a copy trains elsewhere: where there is no GPU
    here, what the run's own tracker recorded is worth more than an empty panel.
    """

    def __init__(self) -> None:
        self._run: RunSnapshot | None = None
        self._local: HardwareReading | None = None
        self._shown = HardwareReading()

    def reading(
        self, local: HardwareReading, runs: Sequence[RunSnapshot], now: float
    ) -> HardwareReading:
        """Return what to show; the very same object while nothing changed.

        Args:
            local: The newest reading of this machine.
            runs: Every run; the one that spoke last counts.
            now: Seconds since the Unix epoch.
        """
        if local.gpus or not runs:
            return local
        run = max(runs, key=lambda one: one.last_time or 0.0)
        told = recorded(run.series, now)
        if told is None or (not told.gpus and local.host is not None):
            return local
        if run is self._run and local is self._local and told.note == self._shown.note:
            return self._shown
        host = told.host or local.host
        self._run, self._local = run, local
        self._shown = HardwareReading(told.gpus, told.note, host)
        return self._shown
