"""Readings of GPUs and hosts, and the jobs and processes on them."""

from __future__ import annotations

from enum import StrEnum

from lossmon.fast_dataclass import dataclass
from lossmon.types.points import Floats


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a GPU.

    Attributes:
        pid: Process id, as NVML reports it.
        name: Executable name, or empty where it cannot be known.
        memory_used: Bytes, None where the driver does not say.
        own: It belongs to the watched training: its working directory, an open file or an
            argument is inside the run.
        user: Name of its user, or the number where it has no name here.
        command: Command line, without the values of keys, tokens and passwords.
        cpu: Share of one core since the list before, 100 per core, None in the first.
        memory: Bytes of main memory that it holds.
        started: Seconds since the Unix epoch.
    """

    pid: int
    name: str
    memory_used: int | None
    own: bool = False
    user: str = ""
    command: str = ""
    cpu: float | None = None
    memory: int | None = None
    started: float | None = None


@dataclass(frozen=True, slots=True)
class PcieLink:
    """The PCI Express link of a GPU, which idle GPUs slow down to save power.

    Attributes:
        generation: Generation now.
        width: Lanes now.
        max_generation: The most that this GPU can have in this machine.
        max_width: The same of the lanes.
    """

    generation: int
    width: int
    max_generation: int
    max_width: int


@dataclass(frozen=True, slots=True)
class GpuPartition:
    """A partition of a GPU (MIG device).

    Attributes:
        index: NVML index of the partition on its GPU.
        name: Profile (`MIG 1g.10gb`).
        memory_used: Bytes.
        memory_total: Bytes.
    """

    index: int
    name: str
    memory_used: int | None = None
    memory_total: int | None = None


@dataclass(frozen=True, slots=True)
class GpuDetails:
    """What seldom changes on a GPU. Fields that the driver does not support are None.

    Attributes:
        sm_clock_max: Hertz, the highest clock of its multiprocessors.
        memory_clock: Hertz.
        pcie: Its PCI Express link.
        ecc_corrected: Memory errors that were corrected since the driver was loaded.
        ecc_uncorrected: Memory errors that could not be corrected.
        remap_pending: A row of its memory is replaced at the next reset.
        remap_failed: A row of its memory could not be replaced.
        nvlinks: NVLink connections that are up.
        nvlinks_total: NVLink connections that it has.
        xids: Errors that the driver reported since sampling began (Xid), oldest first.
        partitions: MIG devices.
        nvlink_sent: Bytes per second over all NVLink connections, None before the second reading.
        nvlink_received: Likewise.
        pcie_sent: Bytes per second from it over PCI Express, None before the second reading.
        pcie_received: Bytes per second to it, likewise.
        fan: Speed of its fan, 0 to 100 of the intended maximum.
        encoder: Use of its video encoder, 0 to 100.
        decoder: Use of its video decoder, 0 to 100.
    """

    sm_clock_max: float | None = None
    memory_clock: float | None = None
    pcie: PcieLink | None = None
    ecc_corrected: int | None = None
    ecc_uncorrected: int | None = None
    remap_pending: bool = False
    remap_failed: bool = False
    nvlinks: int | None = None
    nvlinks_total: int | None = None
    xids: tuple[int, ...] = ()
    partitions: tuple[GpuPartition, ...] = ()
    nvlink_sent: float | None = None
    nvlink_received: float | None = None
    pcie_sent: float | None = None
    pcie_received: float | None = None
    fan: float | None = None
    encoder: float | None = None
    decoder: float | None = None


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU at one moment. Fields that the driver does not support are None.

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
        throttle_reasons: Active reasons that slow the GPU down, in words; being idle and
            application clocks are not reasons.
        processes: Processes that hold its memory, largest first.
        lost: The GPU fell off the bus or stopped answering.
        utilization_history: Recent utilizations, 0 to 100, oldest first.
        details: What seldom changes, None where it was not asked for.
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
    details: GpuDetails | None = None


@dataclass(frozen=True, slots=True)
class HostReading:
    """This machine at one moment.

    Attributes:
        name: Host name, empty where a recording does not say it.
        cpu: Share of all cores in use, 0 to 100, None before the second sample.
        cpu_count: Logical cores that this process may use.
        memory_used: Bytes in use (total minus available), of the container if it has a limit.
        memory_total: Bytes, of the container if it has a limit.
        disk_free: Free bytes of the file system of the run, None where unknown.
        disk_total: Its size in bytes.
    """

    name: str
    cpu: float | None = None
    cpu_count: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    disk_free: int | None = None
    disk_total: int | None = None


class ProcessState(StrEnum):
    """What a process of a run is doing on its node."""

    BUSY = "busy"
    """It uses a processor or a GPU."""
    IDLE = "idle"
    """It uses neither."""
    BLOCKED = "blocked"
    """It waits for a disk or a file system and cannot be interrupted."""
    STOPPED = "stopped"
    """A signal or a debugger stopped it."""
    GONE = "gone"
    """It was there and is not any more."""


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """A process of a run on one of its nodes.

    Attributes:
        pid: Process id on that node.
        name: Executable name.
        state: What it is doing.
        cpu: Share of one core since the sample before, 0 to 100 per core, None before the second.
        rank: Global rank of the launcher (`RANK`, `SLURM_PROCID`), None where there is none.
    """

    pid: int
    name: str
    state: ProcessState
    cpu: float | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    """What a recorder on a node thinks of a log that only this node can read.

    Attributes:
        run: Name of the run there.
        step: Newest step, None before the first.
        code: Code of the verdict.
        severity: Its severity, by its word.
    """

    run: str
    step: int | None
    code: str
    severity: str


@dataclass(frozen=True, slots=True, eq=False)
class NodeGpuHistory:
    """One GPU of a node over time, as its recorder wrote it down.

    Attributes:
        index: NVML index.
        times: Seconds since the Unix epoch, by the clock of the node, ascending.
        utilization: 0 to 100, NaN where it is not known.
        memory_share: Used share of its memory, 0 to 100, NaN where it is not known.
    """

    index: int
    times: Floats
    utilization: Floats
    memory_share: Floats


@dataclass(frozen=True, slots=True)
class NodeReading:
    """One node of a run at one moment.

    Attributes:
        name: Host name.
        time: Seconds since the Unix epoch at which it was sampled, by the clock of the node.
        gpus: One reading per GPU, by index.
        host: Processors, memory and disk, None where they are not known.
        processes: The processes of the run there.
        verdicts: Of logs that only the node can read.
        stale: No sample came for so long that the node, or what samples it, is probably gone.
        job: The scheduler's job that it was sampled in, None outside of one.
        source: Where the sample comes from (`lossmon record`, `Prometheus`).
        histories: Its GPUs before the run came into view; empty where that was not asked for.
    """

    name: str
    time: float
    gpus: tuple[GpuReading, ...] = ()
    host: HostReading | None = None
    processes: tuple[NodeProcess, ...] = ()
    verdicts: tuple[NodeVerdict, ...] = ()
    stale: bool = False
    job: Job | None = None
    source: str = ""
    histories: tuple[NodeGpuHistory, ...] = ()


@dataclass(frozen=True, slots=True)
class HardwareReading:
    """All of the hardware at one moment.

    Attributes:
        gpus: One reading a GPU, by NVML index; a lost one stays, marked.
        note: One calm line where there is nothing to show ("no NVIDIA driver on this machine"),
            or empty.
        host: This machine, None before the first sample.
        expected: How many GPUs the first sample will probably show; None behind it.
    """

    gpus: tuple[GpuReading, ...] = ()
    note: str = ""
    host: HostReading | None = None
    expected: int | None = None


PENDING_HARDWARE = HardwareReading(note="sampling the hardware", expected=0)
"""What is known of this machine before the first sample."""


class JobState(StrEnum):
    """What a job is doing."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    """It reached its time limit."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Job:
    """One job, or one task of an array job.

    Attributes:
        scheduler: Name of what runs it: `Slurm`, `PBS`, `LSF`, `Kubernetes`.
        id: As the scheduler spells it, a task of an array behind an underscore: `12345_7`.
        name: What the user calls it, or empty.
        state: What it is doing.
        reason: Why it is in this state (`Resources`, `OUT_OF_MEMORY`), or empty.
        user: Whose it is, or empty.
        partition: Partition or queue, or empty.
        nodes: Node list as the scheduler writes it (`gpu[01-04]`), or empty.
        started: Seconds since the Unix epoch of the latest start, None before.
        limit: Seconds since the Unix epoch at which the time limit ends it, None where there is
            none or it has not started.
        restarts: Times that it was requeued.
    """

    scheduler: str
    id: str
    name: str = ""
    state: JobState = JobState.UNKNOWN
    reason: str = ""
    user: str = ""
    partition: str = ""
    nodes: str = ""
    started: float | None = None
    limit: float | None = None
    restarts: int = 0


PREFIX = "system/"
"""Prefix of the canonical names of series about a machine."""


def is_recorded(key: str) -> bool:
    """Whether a series of this canonical name describes the machine, not the training."""
    return key.startswith((PREFIX, "system.", "sys/", "gpu."))
