"""Situation of a run: the histories of its hardware and of its steps, which the rules judge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from itertools import pairwise
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.types import GpuReading, HostReading, RunSnapshot, RunState


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


INTERVAL = 5.0
"""Seconds between samples: a saw-tooth of a data loader shows in their distribution."""

KEPT = 3600.0
"""Seconds of samples that are kept."""

MEMORY_INTERVAL = 60.0
"""Seconds per maximum of the memory: a step allocates and frees again."""

MEMORY_KEPT = 120
"""Maxima of the memory that are kept: two hours."""

COVERED = 0.8
"""Share of a window that samples must cover to say anything about it."""

LEAST = 6
"""Samples that a window needs."""


class GpuSample(NamedTuple):
    """A GPU at one moment; what is not known is None. Units as in `GpuReading`."""

    time: float
    utilization: float | None = None
    memory_used: int | None = None
    power: float | None = None
    sm_clock: float | None = None
    temperature: float | None = None
    throttle_reasons: tuple[str, ...] = ()


class HostSample(NamedTuple):
    """A host at one moment; what is not known is None. Units as in `HostReading`."""

    time: float
    cpu: float | None = None


class StepSample(NamedTuple):
    """The newest step of a run at one moment."""

    time: float
    step: int


def window(samples: Iterable[GpuSample], now: float, seconds: float) -> list[GpuSample]:
    """The samples of the last `seconds`, or none where they do not cover that time."""
    recent = [one for one in samples if one.time > now - seconds]
    covers = len(recent) >= LEAST and recent[-1].time - recent[0].time >= COVERED * seconds
    return recent if covers else []


def known(samples: Sequence[GpuSample], value: Callable[[GpuSample], float | None]) -> list[float]:
    """The values of samples that are known."""
    return [found for one in samples if (found := value(one)) is not None]


def mean(values: Sequence[float]) -> float | None:
    """Mean, None of nothing."""
    return sum(values) / len(values) if values else None


def median(values: Iterable[float]) -> float | None:
    """Median, None of nothing."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else None


@dataclass(slots=True)
class GpuHistory:
    """One GPU of a run.

    Attributes:
        node: Host name, empty for this machine.
        reading: Its newest reading.
        samples: Of the time that is kept, oldest first.
        memory: Time and bytes of the maximum of each minute, oldest first.
        ecc: Memory errors that could not be corrected when it was first seen, None before.
        seen: Seconds since the Unix epoch of its newest reading.
        kept: Seconds of samples that are kept; 0 keeps none.
        lost_since: Seconds since the Unix epoch from which it does not answer, None while it does.
    """

    node: str
    reading: GpuReading
    samples: deque[GpuSample] = field(default_factory=deque)
    memory: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=MEMORY_KEPT))
    ecc: int | None = None
    seen: float = 0.0
    kept: float = KEPT
    lost_since: float | None = None

    @property
    def label(self) -> str:
        """How sentences name it: `gpu07 GPU 3`, or `GPU 3` of this machine."""
        return f"{self.node} GPU {self.reading.index}".lstrip()

    def add(self, time: float, reading: GpuReading) -> None:
        """Add a reading."""
        self.reading, self.seen = reading, time
        details = reading.details
        if self.ecc is None and details is not None:
            self.ecc = details.ecc_uncorrected
        if reading.lost:
            self.lost_since = time if self.lost_since is None else self.lost_since
            return
        self.lost_since = None
        self.put(
            GpuSample(
                time,
                reading.utilization,
                reading.memory_used,
                reading.power,
                reading.sm_clock,
                reading.temperature,
                reading.throttle_reasons,
            )
        )

    def put(self, sample: GpuSample) -> None:
        """Add a sample, and drop what is too old."""
        if not self.kept:
            return
        self.samples.append(sample)
        while self.samples[0].time < sample.time - self.kept:
            self.samples.popleft()
        if sample.memory_used is None:
            return
        minute = sample.time // MEMORY_INTERVAL * MEMORY_INTERVAL
        if self.memory and self.memory[-1][0] == minute:
            self.memory[-1] = (minute, max(self.memory[-1][1], sample.memory_used))
        else:
            self.memory.append((minute, sample.memory_used))


@dataclass(slots=True)
class HostHistory:
    """One host of a run.

    Attributes:
        node: Host name, empty for this machine.
        reading: Its newest reading.
        samples: Of the last hour, oldest first.
    """

    node: str
    reading: HostReading
    samples: deque[HostSample] = field(default_factory=deque)

    def add(self, time: float, reading: HostReading) -> None:
        """Add a reading, and drop what is too old."""
        self.reading = reading
        self.samples.append(HostSample(time, reading.cpu))
        while self.samples[0].time < time - KEPT:
            self.samples.popleft()

    def cpu(self, now: float, seconds: float) -> float | None:
        """Mean use of the processors in the last `seconds`, 0 to 100."""
        recent = [one.cpu for one in self.samples if one.time > now - seconds]
        values = [one for one in recent if one is not None]
        return mean(values) if len(values) >= LEAST else None


@dataclass(slots=True)
class StepHistory:
    """How the steps of a run advanced while it was watched.

    Attributes:
        samples: One per advance of the last hour, oldest first; the first is where it began.
    """

    samples: deque[StepSample] = field(default_factory=deque)

    def add(self, time: float, step: int | None) -> None:
        """Add the newest step."""
        if step is None:
            return
        if self.samples and step < self.samples[-1].step:
            # The run began again.
            self.samples.clear()
        if not self.samples or step > self.samples[-1].step:
            self.samples.append(StepSample(time, step))
        while self.samples[0].time < time - KEPT and len(self.samples) > 2:
            self.samples.popleft()

    @property
    def interval(self) -> float | None:
        """Usual seconds between two advances, None before the fourth."""
        if len(self.samples) < 4:
            return None
        times = [one.time for one in self.samples]
        return median(b - a for a, b in pairwise(times))

    def silence(self, now: float) -> float | None:
        """Seconds since the last advance that was seen, None where none was."""
        return now - self.samples[-1].time if len(self.samples) > 1 else None

    def rate(self, begin: float, end: float) -> float | None:
        """Steps per second between two moments, None where too few advances are known."""
        inside = [one for one in self.samples if begin <= one.time <= end]
        if len(inside) < LEAST or inside[-1].time - inside[0].time < COVERED / 2 * (end - begin):
            return None
        return (inside[-1].step - inside[0].step) / (inside[-1].time - inside[0].time)
