"""Samples of a node as lines of JSON, written and read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from lossmon.fast_dataclass import dataclass
from lossmon.nodes.gpu_details import details_document, details_of
from lossmon.nodes.values import number, text, whole
from lossmon.types import (
    GpuReading,
    HostReading,
    Job,
    JobState,
    NodeProcess,
    NodeReading,
    NodeVerdict,
    ProcessState,
)

VERSION = 1
"""Version of the shape of a line; a reader skips lines of a later one."""

MOST_GPUS = 64
"""GPUs per node that are kept: more than any has."""

MOST_PROCESSES = 64
"""Processes per node that are kept."""

SOURCE = "lossmon record"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class NodeSample:
    """One line.

    Attributes:
        reading: The node at that moment.
        interval: Seconds to the next sample.
    """

    reading: NodeReading
    interval: float


def encode(sample: NodeSample) -> bytes:
    """One line of JSON with its line end; what is not known is left out."""
    node = sample.reading
    document = {
        "v": VERSION,
        "time": round(node.time, 3),
        "interval": sample.interval,
        "host": node.name,
        "job": _job_document(node.job),
        "gpus": [_gpu_document(gpu) for gpu in node.gpus],
        "processes": [
            {"pid": p.pid, "name": p.name, "state": p.state.value, "cpu": p.cpu, "rank": p.rank}
            for p in node.processes
        ],
        "verdicts": [
            {"run": v.run, "step": v.step, "code": v.code, "severity": v.severity}
            for v in node.verdicts
        ],
    }
    if node.host is not None:
        document |= {field: _brief(getattr(node.host, field)) for field in _HOST_FIELDS}
    line = json.dumps(_known(document), allow_nan=False, separators=(",", ":"))
    return line.encode("ascii") + b"\n"


def decode(line: bytes) -> NodeSample | None:
    """Read a line; None where it is torn, or not one of ours."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("v") != VERSION:
        return None
    time, interval = number(document.get("time")), number(document.get("interval"))
    name = text(document.get("host"))
    if time is None or interval is None or interval <= 0 or not name:
        return None
    reading = NodeReading(
        name=name,
        time=time,
        gpus=tuple(_items(document.get("gpus"), _gpu, MOST_GPUS)),
        host=_host(name, document),
        processes=tuple(_items(document.get("processes"), _process, MOST_PROCESSES)),
        verdicts=tuple(_items(document.get("verdicts"), _verdict, MOST_PROCESSES)),
        job=_job(document.get("job")),
        source=SOURCE,
    )
    return NodeSample(reading, interval)


_JOB_TEXTS = ("scheduler", "id", "name", "user", "partition", "nodes")
_HOST_FIELDS = ("cpu", "cpu_count", "memory_used", "memory_total", "disk_free", "disk_total")
_GPU_NUMBERS = (
    *("utilization", "memory_used", "memory_total", "power", "power_limit", "temperature"),
    "sm_clock",
)
_WHOLE = ("memory_used", "memory_total", "cpu_count", "disk_free", "disk_total")


def _brief(measured: float | None) -> float | None:
    """A measured number without digits that mean nothing."""
    return round(measured, 2) if isinstance(measured, float) else measured


def _known(value: Any) -> Any:
    """A document without None, NaN, empty lists and empty words."""
    if isinstance(value, dict):
        return {k: _known(v) for k, v in value.items() if not _is_nothing(v)}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return value


def _is_nothing(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or value == "" or value == []


def _job_document(job: Job | None) -> dict[str, Any] | None:
    if job is None:
        return None
    numbers = {"started": job.started, "limit": job.limit, "restarts": job.restarts or None}
    return {name: getattr(job, name) for name in _JOB_TEXTS} | numbers


def _job(entry: object) -> Job | None:
    if not isinstance(entry, dict):
        return None
    texts = {name: text(entry.get(name)) for name in _JOB_TEXTS}
    return Job(
        **texts,
        state=JobState.RUNNING,
        started=number(entry.get("started")),
        limit=number(entry.get("limit")),
        restarts=whole(entry.get("restarts")) or 0,
    )


def _gpu_document(gpu: GpuReading) -> dict[str, Any]:
    document: dict[str, Any] = {"index": gpu.index, "name": gpu.name}
    document |= {field: _brief(getattr(gpu, field)) for field in _GPU_NUMBERS}
    document["throttle_reasons"] = list(gpu.throttle_reasons)
    document["lost"] = gpu.lost or None
    document["details"] = details_document(gpu.details)
    return document


def _gpu(entry: Mapping[str, Any]) -> GpuReading | None:
    index = whole(entry.get("index"))
    if index is None:
        return None
    reasons = entry.get("throttle_reasons")
    return GpuReading(
        index,
        text(entry.get("name")) or f"GPU {index}",
        **_numbers(entry, _GPU_NUMBERS),
        throttle_reasons=tuple(text(reason) for reason in reasons[:16] if isinstance(reason, str))
        if isinstance(reasons, list)
        else (),
        lost=entry.get("lost") is True,
        details=details_of(entry.get("details")),
    )


def _host(name: str, document: Mapping[str, Any]) -> HostReading | None:
    numbers = _numbers(document, _HOST_FIELDS)
    return HostReading(name, **numbers) if any(n is not None for n in numbers.values()) else None


def _process(entry: Mapping[str, Any]) -> NodeProcess | None:
    pid, state = whole(entry.get("pid")), entry.get("state")
    if pid is None or state not in frozenset(ProcessState):
        return None
    return NodeProcess(
        pid,
        text(entry.get("name")),
        ProcessState(state),
        number(entry.get("cpu")),
        whole(entry.get("rank")),
    )


def _verdict(entry: Mapping[str, Any]) -> NodeVerdict | None:
    code, severity = text(entry.get("code")), text(entry.get("severity"))
    if not code or not severity:
        return None
    return NodeVerdict(text(entry.get("run")), whole(entry.get("step")), code, severity)


def _items(
    entries: object, read: Callable[[Mapping[str, Any]], Item | None], most: int
) -> Iterable[Item]:
    for entry in entries[:most] if isinstance(entries, list) else ():
        if isinstance(entry, dict) and (item := read(entry)) is not None:
            yield item


def _numbers(entry: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {
        field: whole(entry.get(field)) if field in _WHOLE else number(entry.get(field))
        for field in fields
    }
