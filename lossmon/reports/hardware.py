"""Hardware of runs as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lossmon.diagnosis.advice import advise
from lossmon.hardware.findings import CODES
from lossmon.locale import message
from lossmon.reports.record import finite
from lossmon.types import (
    Finding,
    GpuDetails,
    GpuReading,
    HostReading,
    NodeReading,
    RunSnapshot,
    Snapshot,
)

_NUMBERS = (
    *("utilization", "memory_used", "memory_total", "power", "power_limit", "temperature"),
    "sm_clock",
)
_HOST = ("cpu", "cpu_count", "memory_used", "memory_total", "disk_free", "disk_total")
_DETAILS = (
    *("sm_clock_max", "memory_clock", "ecc_corrected", "ecc_uncorrected"),
    *("remap_pending", "remap_failed", "nvlinks", "nvlinks_total"),
    *("nvlink_sent", "nvlink_received", "pcie_sent", "pcie_received"),
    *("fan", "encoder", "decoder"),
)
_PCIE = ("generation", "width", "max_generation", "max_width")


def hardware_record(snapshot: Snapshot, language: str) -> dict[str, Any]:
    """This machine, and the nodes and findings of each run; what is not known is None.

    Units are bytes, watts, hertz, degrees Celsius and percent.
    """
    hardware = snapshot.hardware
    return {
        "time": snapshot.time or None,
        "host": _host_record(hardware.host),
        "gpus": [gpu_record(gpu) for gpu in hardware.gpus],
        "note": hardware.note,
        "runs": [
            {
                "run": run.name,
                "path": str(run.path),
                "findings": [_finding_record(one, language) for one in _found(run)],
                "nodes": [_node_record(node) for node in run.nodes],
            }
            for run in snapshot.runs
        ],
    }


def gpu_record(gpu: GpuReading) -> dict[str, Any]:
    """Everything that is known of a GPU."""
    return {
        "index": gpu.index,
        "name": gpu.name,
        "lost": gpu.lost,
        **{name: finite(getattr(gpu, name)) for name in _NUMBERS},
        "throttle_reasons": list(gpu.throttle_reasons),
        "processes": [
            {"pid": p.pid, "name": p.name, "memory_used": p.memory_used, "own": p.own}
            for p in gpu.processes
        ],
        "details": None if gpu.details is None else _details_record(gpu.details),
    }


def _details_record(details: GpuDetails) -> dict[str, Any]:
    pcie = details.pcie
    return {
        **{name: getattr(details, name) for name in _DETAILS},
        "pcie": None if pcie is None else {name: getattr(pcie, name) for name in _PCIE},
        "xids": list(details.xids),
        "partitions": [
            {
                "index": part.index,
                "name": part.name,
                "memory_used": part.memory_used,
                "memory_total": part.memory_total,
            }
            for part in details.partitions
        ],
    }


def _host_record(host: HostReading | None) -> dict[str, Any] | None:
    if host is None:
        return None
    return {"name": host.name} | {name: finite(getattr(host, name)) for name in _HOST}


def _node_record(node: NodeReading) -> dict[str, Any]:
    return {
        "node": node.name,
        "time": node.time,
        "stale": node.stale,
        "source": node.source,
        "host": _host_record(node.host),
        "gpus": [gpu_record(gpu) for gpu in node.gpus],
    }


def _finding_record(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.word,
        "since_step": finding.since_step,
        "evidence": advise(finding, language).evidence,
    }


def _found(run: RunSnapshot) -> list[Finding]:
    return [finding for finding in run.diagnosis.findings if finding.code in CODES]


# ------------------------------------------------------------------------------------------ text


def hardware_lines(snapshot: Snapshot, language: str) -> list[str]:
    """The same as lines of text, without what is not known."""
    hardware = snapshot.hardware
    lines = [_host_line(hardware.host, language)] if hardware.host else []
    lines += [_gpu_line(gpu, language) for gpu in hardware.gpus]
    lines += [message(hardware.note, language)] if hardware.note else []
    for run in snapshot.runs:
        lines += _run_lines(run, language)
    return lines


def _run_lines(run: RunSnapshot, language: str) -> Iterator[str]:
    found = _found(run)
    if found or run.nodes:
        yield f"{run.name}:"
    for finding in found:
        words = advise(finding, language)
        yield f"  {words.badge}: {words.evidence}"
    for node in run.nodes:
        host = _host_line(node.host, language) if node.host else node.name
        yield f"  {host}{message(', stale', language) if node.stale else ''}"
        yield from (f"    {_gpu_line(gpu, language)}" for gpu in node.gpus)


def _host_line(host: HostReading, language: str) -> str:
    cores = f" of {host.cpu_count} cores" if host.cpu_count else ""
    parts = [
        "" if host.cpu is None else f"CPU {host.cpu:.0f} %{cores}",
        _memory("memory", host.memory_used, host.memory_total),
        "" if host.disk_free is None else f"disk {_gibibytes(host.disk_free)} GiB free",
    ]
    return _joined(host.name, parts, language)


def _joined(name: str, parts: Sequence[str], language: str) -> str:
    return f"{name}: {', '.join(message(part, language) for part in parts if part)}"


def _gpu_line(gpu: GpuReading, language: str) -> str:
    name = f"GPU {gpu.index} {gpu.name}"
    if gpu.lost:
        return _joined(name, ["does not answer"], language)
    parts = [
        "" if gpu.utilization is None else f"{gpu.utilization:.0f} %",
        _memory("", gpu.memory_used, gpu.memory_total),
        "" if gpu.power is None else f"{gpu.power:.0f}{_of(gpu.power_limit)} W",
        "" if gpu.temperature is None else f"{gpu.temperature:.0f} °C",
        "" if gpu.sm_clock is None else f"{gpu.sm_clock / 1e6:.0f} MHz",
        *gpu.throttle_reasons,
        *(_detail_parts(gpu.details) if gpu.details else ()),
    ]
    return _joined(name, parts, language)


def _rates(link: str, sent: float | None, received: float | None) -> Iterator[str]:
    if sent is not None and received is not None:
        yield f"{link} out {sent / 1e9:.1f} GB/s, in {received / 1e9:.1f} GB/s"


def _detail_parts(details: GpuDetails) -> Iterator[str]:
    if details.pcie is not None:
        yield f"PCIe {details.pcie.generation} x{details.pcie.width}"
    yield from _rates("PCIe", details.pcie_sent, details.pcie_received)
    if details.nvlinks_total:
        yield f"NVLink {details.nvlinks}/{details.nvlinks_total}"
    yield from _rates("NVLink", details.nvlink_sent, details.nvlink_received)
    if details.fan is not None:
        yield f"fan {details.fan:.0f} %"
    if details.encoder or details.decoder:
        yield f"encoder {details.encoder or 0:.0f} %, decoder {details.decoder or 0:.0f} %"
    if details.ecc_uncorrected:
        yield f"{details.ecc_uncorrected} uncorrected ECC errors"
    if details.xids:
        yield f"Xid {', '.join(map(str, details.xids))}"
    for part in details.partitions:
        yield _memory(part.name, part.memory_used, part.memory_total)


def _of(limit: float | None) -> str:
    return "" if limit is None else f"/{limit:.0f}"


def _memory(name: str, used: int | None, total: int | None) -> str:
    if used is None:
        return ""
    whole = "" if total is None else f"/{_gibibytes(total)}"
    return f"{name} {_gibibytes(used)}{whole} GiB".lstrip()


def _gibibytes(count: int) -> str:
    return f"{count / (1 << 30):.1f}"
