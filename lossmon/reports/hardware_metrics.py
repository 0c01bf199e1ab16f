"""Metrics of hardware and jobs, beside those of the runs in `lossmon.reports.openmetrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lossmon.reports.openmetrics import Family, Sample, labels_of
from lossmon.types import GpuReading, HardwareReading, HostReading, NodeReading, RunSnapshot

GPU_GAUGES: tuple[tuple[str, str, str, Callable[[GpuReading], float | None]], ...] = (
    (
        "lossmon_gpu_utilization_ratio",
        "ratio",
        "Share of the sample period in which a kernel ran",
        lambda gpu: None if gpu.utilization is None else gpu.utilization / 100,
    ),
    ("lossmon_gpu_memory_used_bytes", "bytes", "Memory in use", lambda gpu: gpu.memory_used),
    ("lossmon_gpu_memory_size_bytes", "bytes", "Memory in all", lambda gpu: gpu.memory_total),
    ("lossmon_gpu_power_watts", "watts", "Power drawn", lambda gpu: gpu.power),
    ("lossmon_gpu_power_limit_watts", "watts", "Power limit", lambda gpu: gpu.power_limit),
    ("lossmon_gpu_temperature_celsius", "celsius", "Temperature", lambda gpu: gpu.temperature),
    (
        "lossmon_gpu_sm_clock_hertz",
        "hertz",
        "Clock of the multiprocessors",
        lambda gpu: gpu.sm_clock,
    ),
    ("lossmon_gpu_lost", "", "1 where the GPU does not answer", lambda gpu: gpu.lost),
    (
        "lossmon_gpu_throttled",
        "",
        "1 where the GPU is slowed down by heat or power",
        lambda gpu: bool(gpu.throttle_reasons),
    ),
)
"""Name, unit, meaning and value of what is known of a GPU."""

HOST_GAUGES: tuple[tuple[str, str, str, Callable[[HostReading], float | None]], ...] = (
    (
        "lossmon_node_cpu_ratio",
        "ratio",
        "Share of all cores in use",
        lambda host: None if host.cpu is None else host.cpu / 100,
    ),
    ("lossmon_node_memory_used_bytes", "bytes", "Memory in use", lambda host: host.memory_used),
    ("lossmon_node_memory_size_bytes", "bytes", "Memory in all", lambda host: host.memory_total),
    (
        "lossmon_node_disk_free_bytes",
        "bytes",
        "Free on the disk of the run",
        lambda host: host.disk_free,
    ),
    (
        "lossmon_node_disk_size_bytes",
        "bytes",
        "Size of the disk of the run",
        lambda host: host.disk_total,
    ),
)
"""The same of a node."""


def hardware_families(
    hardware: HardwareReading, host: str, runs: Sequence[RunSnapshot]
) -> tuple[Family, ...]:
    """Describe this machine and the nodes of runs; what is not known has no sample.

    Args:
        hardware: The newest reading of this machine; one of another machine is left out.
        runs: Runs whose nodes are described.
    """
    nodes = _nodes(hardware, host, runs)
    gpus = [(node, gpu) for node in nodes.values() for gpu in node.gpus]
    families = [
        Family(
            "lossmon_gpu",
            "info",
            "",
            "What a GPU is",
            tuple(Sample({**_labels(node, gpu), "name": gpu.name}, 1.0) for node, gpu in gpus),
        )
    ]
    for name, unit, meaning, value in GPU_GAUGES:
        found = ((_labels(node, gpu), value(gpu)) for node, gpu in gpus)
        families.append(Family(name, "gauge", unit, meaning, tuple(_samples(found))))
    for name, unit, meaning, of_host in HOST_GAUGES:
        known = ((node.name, node.host) for node in nodes.values() if node.host is not None)
        pairs = (({"node": node}, of_host(reading)) for node, reading in known)
        families.append(Family(name, "gauge", unit, meaning, tuple(_samples(pairs))))
    fresh = (
        ({**labels_of(run), "node": node.name}, not node.stale)
        for run in runs
        for node in run.nodes
    )
    meaning = "Nodes of a run: 1 while they are sampled, 0 where they fell silent"
    families.append(Family("lossmon_run_node", "gauge", "", meaning, tuple(_samples(fresh))))
    return (*families, *job_families(runs))


def job_families(runs: Sequence[RunSnapshot]) -> tuple[Family, Family]:
    """Describe the jobs that runs belong to."""
    jobs = [(run, run.job) for run in runs if run.job is not None]
    infos = (
        {
            **labels_of(run),
            "scheduler": job.scheduler,
            "id": job.id,
            "name": job.name,
            "partition": job.partition,
            "state": job.state.value,
        }
        for run, job in jobs
    )
    limits = ((labels_of(run), job.limit) for run, job in jobs)
    return (
        Family(
            "lossmon_job",
            "info",
            "",
            "The scheduler's job of a run",
            tuple(Sample(labels, 1.0) for labels in infos),
        ),
        Family(
            "lossmon_job_limit_timestamp_seconds",
            "gauge",
            "seconds",
            "Time limit of the job of a run, as Unix time",
            tuple(_samples(limits)),
        ),
    )


def _nodes(
    hardware: HardwareReading, host: str, runs: Sequence[RunSnapshot]
) -> dict[str, NodeReading]:
    """The newest reading of every node; of this machine what is measured now."""
    newest: dict[str, NodeReading] = {}
    for node in (node for run in runs for node in run.nodes if not node.stale):
        known = newest.get(node.name)
        newest[node.name] = node if known is None or known.time < node.time else known
    if hardware.host is not None and hardware.host.name == host:
        newest[host] = NodeReading(host, 0.0, hardware.gpus, hardware.host)
    return newest


def _labels(node: NodeReading, gpu: GpuReading) -> dict[str, str]:
    return {"node": node.name, "gpu": str(gpu.index)}


def _samples(found: Iterable[tuple[Mapping[str, str], float | None]]) -> Iterator[Sample]:
    return (Sample(labels, float(value)) for labels, value in found if value is not None)
