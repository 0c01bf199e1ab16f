"""Rule: the PCI Express or NVLink connection of a GPU is worse than that of its peers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lossmon.hardware.findings.history import GpuHistory, known, mean, median
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

WINDOW = 300.0
"""Seconds that are judged."""

BUSY = 30.0
"""Least mean utilization: an idle link may be narrowed to save power."""

LEAST = 3
"""GPUs of one kind in one machine that are needed to say what is usual."""


def link_degraded(situation: Situation) -> Finding | None:
    """A GPU has fewer lanes or NVLink connections than it can have and than its peers have."""
    machines: dict[tuple[str, str], list[GpuHistory]] = defaultdict(list)
    for gpu, samples in situation.windows(WINDOW):
        if (mean(known(samples, lambda one: one.utilization)) or 0.0) >= BUSY:
            machines[gpu.node, gpu.reading.name].append(gpu)
    for peers in machines.values():
        if len(peers) >= LEAST:
            for gpu in peers:
                if found := _narrow(gpu, peers, situation.step) or _cut(gpu, peers, situation.step):
                    return found
    return None


def _narrow(gpu: GpuHistory, peers: list[GpuHistory], step: int) -> Finding | None:
    link = gpu.reading.details.pcie if gpu.reading.details else None
    if link is None or link.width >= link.max_width:
        return None
    widths = (p.reading.details.pcie for p in peers if p.reading.details)
    usual = median(float(one.width) for one in widths if one is not None) or 0.0
    if link.width >= usual:
        return None
    return _finding(gpu, step, {"now": link.width, "usual": round(usual)}, "")


def _cut(gpu: GpuHistory, peers: list[GpuHistory], step: int) -> Finding | None:
    usual = median(_links(peers))
    up = gpu.reading.details.nvlinks if gpu.reading.details else None
    if usual is None or up is None or up >= usual:
        return None
    return _finding(gpu, step, {"now": up, "usual": round(usual)}, "nvlink")


def _links(peers: Iterable[GpuHistory]) -> Iterable[float]:
    for peer in peers:
        if peer.reading.details and peer.reading.details.nvlinks is not None:
            yield float(peer.reading.details.nvlinks)


def _finding(gpu: GpuHistory, step: int, facts: dict[str, int], variant: str) -> Finding:
    numbers: dict[str, float | int | str] = {"gpu": gpu.label, **facts}
    return Finding("link_degraded", Severity.NOTICE, step, Confidence.HIGH, numbers, variant)
