"""What the GPUs of a node did before anybody looked, from the file that its recorder wrote."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lossmon.nodes.journal import LIMIT, path_of
from lossmon.nodes.samples import MOST_GPUS, decode
from lossmon.types import GpuReading, NodeGpuHistory

MOST = 256
"""Samples that are decoded: a chart in a terminal shows no more."""


def gpu_histories(run: Path, host: str) -> tuple[NodeGpuHistory, ...]:
    """Load and memory of every GPU of a node, as long as its recorder kept them.

    Args:
        run: Directory that the recorder was given.
        host: Name of the node.

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
    """The lines of a file that is no larger than a journal; none where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > 2 * LIMIT:
            return
        data = os.pread(descriptor, status.st_size, 0)
    except OSError:
        return
    finally:
        os.close(descriptor)
    yield from data.splitlines()
