"""The job and the nodes of a run as JSON objects of the `check` contract."""

from __future__ import annotations

from typing import Any

from lossmon.nodes.order import stragglers
from lossmon.reports.values import finite
from lossmon.types import GpuReading, Job, NodeReading


def job_record(job: Job | None) -> dict[str, Any] | None:
    """Describe a job; None where the run belongs to none that is known."""
    if job is None:
        return None
    return {
        "scheduler": job.scheduler,
        "id": job.id,
        "name": job.name,
        "state": job.state.value,
        "reason": job.reason,
        "partition": job.partition,
        "nodes": job.nodes,
        "started": job.started,
        "limit": job.limit,
        "restarts": job.restarts,
    }


def node_records(nodes: tuple[NodeReading, ...]) -> list[dict[str, Any]]:
    """Describe the nodes, those that need attention first; what is not known is None."""
    slow = {(one.node, one.gpu) for one in stragglers(nodes)}
    return [
        {
            "node": node.name,
            "time": node.time,
            "stale": node.stale,
            "cpu": finite(node.host.cpu if node.host else None),
            "gpus": [_gpu_record(gpu, (node.name, gpu.index) in slow) for gpu in node.gpus],
            "processes": [
                {"pid": p.pid, "name": p.name, "rank": p.rank, "state": p.state.value}
                for p in node.processes
            ],
        }
        for node in nodes
    ]


def _gpu_record(gpu: GpuReading, is_straggler: bool) -> dict[str, Any]:
    return {
        "index": gpu.index,
        "utilization": finite(gpu.utilization),
        "memory_used": gpu.memory_used,
        "memory_total": gpu.memory_total,
        "power": finite(gpu.power),
        "temperature": finite(gpu.temperature),
        "lost": gpu.lost,
        "straggler": is_straggler,
    }
