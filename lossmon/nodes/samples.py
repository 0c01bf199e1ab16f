"""Samples of a node as lines of JSON, written and read."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.nodes.journal import LIMIT, path_of
from lossmon.regular_file import open_regular
from lossmon.sanitize import one_line
from lossmon.types import (
    GpuDetails,
    GpuPartition,
    GpuReading,
    HostReading,
    Job,
    JobState,
    NodeGpuHistory,
    NodeProcess,
    NodeReading,
    NodeVerdict,
    PcieLink,
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


MOST_DETAILS = 16
"""Driver errors and partitions per GPU that are kept."""

_NUMBERS = (
    *("sm_clock_max", "memory_clock", "nvlink_sent", "nvlink_received"),
    *("pcie_sent", "pcie_received", "fan", "encoder", "decoder"),
)
_COUNTS = ("ecc_corrected", "ecc_uncorrected", "nvlinks", "nvlinks_total")
_FLAGS = ("remap_pending", "remap_failed")
_PCIE = ("generation", "width", "max_generation", "max_width")


def details_document(details: GpuDetails | None) -> dict[str, Any] | None:
    """Describe details; what is not known is None."""
    if details is None:
        return None
    document: dict[str, Any] = {name: getattr(details, name) for name in (*_NUMBERS, *_COUNTS)}
    document |= {name: getattr(details, name) or None for name in _FLAGS}
    if details.pcie is not None:
        document["pcie"] = {name: getattr(details.pcie, name) for name in _PCIE}
    document["xids"] = list(details.xids)
    document["partitions"] = [
        {
            "index": p.index,
            "name": p.name,
            "memory_used": p.memory_used,
            "memory_total": p.memory_total,
        }
        for p in details.partitions
    ]
    return document


def details_of(entry: object) -> GpuDetails | None:
    """Read details; None where they are not such a document."""
    if not isinstance(entry, dict):
        return None
    fields: dict[str, Any] = {name: number(entry.get(name)) for name in _NUMBERS}
    fields |= {name: whole(entry.get(name)) for name in _COUNTS}
    fields |= {name: entry.get(name) is True for name in _FLAGS}
    return GpuDetails(
        **fields,
        pcie=_pcie(entry.get("pcie")),
        xids=_xids(entry.get("xids")),
        partitions=_partitions(entry.get("partitions")),
    )


def _pcie(entry: object) -> PcieLink | None:
    known = [whole(entry.get(name)) for name in _PCIE] if isinstance(entry, dict) else [None]
    return None if None in known else PcieLink(*(one or 0 for one in known))


def _xids(entries: object) -> tuple[int, ...]:
    codes = map(whole, entries[-MOST_DETAILS:]) if isinstance(entries, list) else ()
    return tuple(code for code in codes if code is not None)


def _partitions(entries: object) -> tuple[GpuPartition, ...]:
    return tuple(
        GpuPartition(
            index,
            text(one.get("name")),
            whole(one.get("memory_used")),
            whole(one.get("memory_total")),
        )
        for one in (entries[:MOST_DETAILS] if isinstance(entries, list) else ())
        if isinstance(one, dict) and (index := whole(one.get("index"))) is not None
    )


LONGEST_NAME = 128
"""Characters of a name that are kept."""


def number(value: object) -> float | None:
    """A finite number that is not negative, as all that is measured here."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e300:
        return None
    return float(value)


def whole(value: object) -> int | None:
    """A whole number that is not negative and fits into 64 bits."""
    known = number(value)
    return int(known) if known is not None and known < 1 << 63 else None


def text(value: object) -> str:
    """The start of a text, on one line; empty for anything else."""
    return one_line(value, LONGEST_NAME) if isinstance(value, str) else ""


MOST = 256
"""Samples that are decoded: a chart in a terminal shows no more."""


def gpu_histories(run: Path, host: str) -> tuple[NodeGpuHistory, ...]:
    """Load and memory of every GPU of a node, as long as its recorder kept them.

    Args:
        run: Directory that the recorder was given.

    Returns:
        One per GPU, by index; empty where nothing was recorded.
    """
    path = path_of(run, host)
    lines = [*_lines(path.with_name(f"{path.name}.1")), *_lines(path)]
    rows: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
    for line in lines[:: max(1, len(lines) // MOST)]:
        sample = decode(line)
        for gpu in sample.reading.gpus[:MOST_GPUS] if sample is not None else ():
            assert sample is not None
            rows[gpu.index].append((sample.reading.time, *_shares(gpu)))
    return tuple(
        NodeGpuHistory(index, *np.array(sorted(found)).T.copy())
        for index, found in sorted(rows.items())
    )


def _shares(gpu: GpuReading) -> tuple[float, float]:
    """Utilization and used share of the memory, 0 to 100; NaN where they are not known."""
    load = float("nan") if gpu.utilization is None else gpu.utilization
    if gpu.memory_used is None or not gpu.memory_total:
        return load, float("nan")
    return load, gpu.memory_used / gpu.memory_total * 100


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, unless it cannot be read or is larger than any journal."""
    try:
        with open_regular(path) as file:
            data = file.read(2 * LIMIT + 1)
    except OSError:
        return
    if len(data) <= 2 * LIMIT:
        yield from data.splitlines()
