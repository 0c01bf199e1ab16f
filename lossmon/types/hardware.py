"""Readings of GPUs and of the host."""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a GPU.

    Attributes:
        pid: Process id, as NVML reports it.
        name: Executable name, or empty where it cannot be known.
        memory_used: Bytes, None where the driver does not say.
        own: It is part of the watched training (its working directory, an open file or an
            argument lies in the run).
    """

    pid: int
    name: str
    memory_used: int | None
    own: bool = False


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU at one moment. Every field that the driver does not support is None.

    Attributes:
        index: NVML index.
        name: Product name.
        utilization: Share of the sample period in which a kernel ran, 0 to 100.
        memory_used: Bytes.
        memory_total: Bytes.
        power: Watts.
        power_limit: Watts.
        temperature: Degrees Celsius.
        sm_clock: Hertz.
        throttle_reasons: Words for the active reasons that slow the GPU down; idle and
            application settings are not reasons.
        processes: Who holds its memory, largest first.
        lost: The GPU fell off the bus or stopped answering.
        utilization_history: Recent utilizations, 0 to 100, oldest first.
    """

    index: int
    name: str
    utilization: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    power: float | None = None
    power_limit: float | None = None
    temperature: float | None = None
    sm_clock: float | None = None
    throttle_reasons: tuple[str, ...] = ()
    processes: tuple[GpuProcess, ...] = ()
    lost: bool = False
    utilization_history: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class HostReading:
    """This machine at one moment.

    Attributes:
        name: Host name.
        cpu: Share of all cores in use, 0 to 100, None before the second sample.
        cpu_count: Logical cores that this process may use.
        memory_used: Bytes in use (total minus available), of the container where limited.
        memory_total: Bytes, of the container where limited.
        disk_free: Bytes free where the run writes, None where unknown.
        disk_total: Bytes there.
    """

    name: str
    cpu: float | None = None
    cpu_count: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    disk_free: int | None = None
    disk_total: int | None = None


@dataclass(frozen=True, slots=True)
class HardwareReading:
    """All of the hardware at one moment.

    Attributes:
        gpus: One reading a GPU, by NVML index; a lost one stays, marked.
        note: One calm line where there is nothing to show ("no NVIDIA driver on this machine"),
            or empty.
        host: This machine, None before the first sample.
    """

    gpus: tuple[GpuReading, ...] = ()
    note: str = ""
    host: HostReading | None = None
