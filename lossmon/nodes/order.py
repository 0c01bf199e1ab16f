"""Order of the nodes of a run: what needs attention stands first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import GpuReading, NodeReading, ProcessState

STRAGGLER = 20.0
"""Percentage points below the median utilization of the run from which a GPU is a straggler."""

RECENT = 10
"""Newest utilizations that are compared: a single sample of a GPU in steps says little."""

_DIGITS = lazy_pattern(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Straggler:
    """A GPU that does less than the others of its run.

    Attributes:
        node: Host name.
        gpu: Index there.
        utilization: Mean of its newest utilizations, 0 to 100.
        usual: Median of the same over all GPUs of the run.
    """

    node: str
    gpu: int
    utilization: float
    usual: float


def ordered(nodes: Iterable[NodeReading]) -> tuple[NodeReading, ...]:
    """Put nodes with something lost first, then stale ones, then stragglers, then by name.

    GPUs of a node are put in the same order.
    """
    known = sorted(nodes, key=lambda node: _natural(node.name))
    usual = _usual(known)
    known = [
        replace(node, gpus=tuple(sorted(node.gpus, key=lambda gpu: (_rank(gpu, usual), gpu.index))))
        for node in known
    ]
    return tuple(sorted(known, key=lambda node: _node_rank(node, usual)))


def stragglers(nodes: Iterable[NodeReading]) -> Iterator[Straggler]:
    """The GPUs of fresh nodes that do much less than the others, slowest first."""
    fresh = [node for node in nodes if not node.stale]
    usual = _usual(fresh)
    found = [
        Straggler(node.name, gpu.index, recent, usual)
        for node in fresh
        for gpu in node.gpus
        if usual is not None
        and (recent := _recent(gpu)) is not None
        and usual - recent >= STRAGGLER
    ]
    yield from sorted(found, key=lambda one: one.utilization)


def _usual(nodes: Iterable[NodeReading]) -> float | None:
    """Median utilization of the GPUs of fresh nodes, None where fewer than three are known."""
    recent = (_recent(gpu) for node in nodes if not node.stale for gpu in node.gpus)
    known = sorted(value for value in recent if value is not None)
    return known[len(known) // 2] if len(known) > 2 else None


def _recent(gpu: GpuReading) -> float | None:
    values = gpu.utilization_history[-RECENT:]
    if not values:
        return gpu.utilization
    return sum(values) / len(values)


def _node_rank(node: NodeReading, usual: float | None) -> int:
    gone = any(p.state in (ProcessState.GONE, ProcessState.BLOCKED) for p in node.processes)
    worst = min((_rank(gpu, usual) for gpu in node.gpus), default=3)
    return min(0 if gone else 3, 1 if node.stale else worst)


def _rank(gpu: GpuReading, usual: float | None) -> int:
    """0 for a GPU that is lost, 2 for one that is slow or slowed down, else 3."""
    if gpu.lost:
        return 0
    recent = _recent(gpu)
    is_behind = usual is not None and recent is not None and usual - recent >= STRAGGLER
    return 2 if is_behind or gpu.throttle_reasons else 3


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name)]
