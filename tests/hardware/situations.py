"""A run and its GPUs that a test plays second by second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossmon.hardware.findings import hardware_findings
from lossmon.hardware.findings.situation import (
    INTERVAL,
    GpuHistory,
    HostHistory,
    Situation,
    StepHistory,
)
from lossmon.types import Finding, GpuReading, HostReading, RunSnapshot, RunState

GIB = 1 << 30
START = 1_800_000_000.0
WORKING = GpuReading(
    *(0, "NVIDIA H100", 98.0, 60 * GIB, 80 * GIB, 650.0, 700.0, 62.0, 1.755e9),
)
HOST = HostReading("gpu01", 30.0, 64, 100 * GIB, 500 * GIB, 800 * GIB, 1000 * GIB)
RUN = RunSnapshot(
    "run", Path("/data/run"), state=RunState.RUNNING, total_steps=100_000, steps_per_second=1.0
)


class Machine:
    """A host with GPUs on which a run logs a step every ten seconds.

    Attributes:
        now: Seconds since the Unix epoch.
    """

    def __init__(self, gpus: int = 8, run: RunSnapshot = RUN) -> None:
        self.now = START
        self.steps = StepHistory()
        self.gpus = [GpuHistory("", replace(WORKING, index=at)) for at in range(gpus)]
        self.host = HostHistory("", HOST)
        self.step = 0
        self.more: dict[str, Any] = {}
        self._run = run

    def play(
        self,
        minutes: float,
        gpu: Callable[[int, float], dict[str, Any]] = lambda index, seconds: {},
        *,
        cpu: float = 30.0,
        pace: float | None = 10.0,
    ) -> None:
        """Let time pass.

        Args:
            minutes: How much.
            gpu: What differs of a GPU, by its index and the seconds that have passed.
            cpu: Use of the processors.
            pace: Seconds per step; None where none is logged.
        """
        begin, due = self.now, self.now
        while self.now < begin + 60 * minutes:
            if pace is not None and self.now >= due:
                self.step, due = self.step + 10, due + pace
                self.steps.add(self.now, self.step)
            for history in self.gpus:
                index = history.reading.index
                changed = gpu(index, self.now - begin)
                history.add(self.now, replace(WORKING, index=index, **changed))
            self.host.add(self.now, replace(HOST, cpu=cpu))
            self.now += INTERVAL

    def situation(self, **run: Any) -> Situation:
        """What the rules are given now; arguments replace fields of the run."""
        shown = replace(self._run, **{"step": self.step, "last_time": self.now} | run)
        gpus, hosts = tuple(self.gpus), (self.host,)
        return Situation(shown, self.now, self.steps, gpus, hosts, **self.more)

    def findings(self, **run: Any) -> dict[str, Finding]:
        """What is found now, by code."""
        return {one.code: one for one in hardware_findings(self.situation(**run))}
