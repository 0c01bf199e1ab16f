"""Situation of a run: everything that the rules on its hardware judge."""

from __future__ import annotations

from collections.abc import Iterator

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.findings.history import (
    GpuHistory,
    GpuSample,
    HostHistory,
    StepHistory,
    window,
)
from lossmon.types import RunSnapshot, RunState


@dataclass(frozen=True, slots=True)
class GoneProcesses:
    """Processes of a run that ended.

    Attributes:
        node: Host name, empty for this machine.
        name: Executable name, or empty.
        since: Seconds since the Unix epoch at which they were first missed.
    """

    node: str
    name: str
    since: float


@dataclass(frozen=True, slots=True)
class Situation:
    """A run and its hardware.

    Attributes:
        run: The run.
        now: Seconds since the Unix epoch.
        steps: How its steps advanced while it was watched.
        gpus: Its GPUs.
        hosts: Its hosts.
        gone: What is known of processes of it that ended.
        on_gpu_since: Seconds since the Unix epoch from which processes of it hold GPU memory, None
            where none do.
        checkpoint_size: Bytes of its largest recent checkpoint, None where it is not known.
    """

    run: RunSnapshot
    now: float
    steps: StepHistory
    gpus: tuple[GpuHistory, ...] = ()
    hosts: tuple[HostHistory, ...] = ()
    gone: tuple[GoneProcesses, ...] = ()
    on_gpu_since: float | None = None
    checkpoint_size: int | None = None

    @property
    def step(self) -> int:
        """Newest step, 0 before the first."""
        return self.run.step or 0

    @property
    def is_unfinished(self) -> bool:
        """Whether the log says that it goes on."""
        return self.run.state in (RunState.WAITING, RunState.RUNNING, RunState.STALLED)

    def windows(self, seconds: float) -> Iterator[tuple[GpuHistory, list[GpuSample]]]:
        """The GPUs that are known for the last `seconds`, with their samples."""
        for gpu in self.gpus:
            if not gpu.reading.lost and (samples := window(gpu.samples, self.now, seconds)):
                yield gpu, samples

    def advances(self, seconds: float) -> int:
        """Times that the step rose in the last `seconds`."""
        return sum(one.time > self.now - seconds for one in self.steps.samples)
