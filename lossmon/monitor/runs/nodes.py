"""The nodes of each run, as recorders on them wrote it into the run."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lossmon.nodes.follower import NodeFollower
from lossmon.nodes.journal import LIMIT, path_of
from lossmon.nodes.samples import MOST_GPUS, decode
from lossmon.types import GpuReading, NodeGpuHistory, NodeReading, RunSnapshot

MOST_HISTORIES = 16
"""Nodes per run whose histories are read: more charts than a screen has."""


class RunNodes:
    """Adds the nodes, and the job that they ran in, to runs. One thread calls it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._roots = tuple(paths)
        self._followers: dict[Path, NodeFollower] = {}
        self._seeded: set[Path] = set()
        """Paths of the runs that were in view."""
        self._histories: dict[tuple[Path, str], tuple[NodeGpuHistory, ...]] = {}
        self._added: dict[Path, tuple[RunSnapshot, tuple[NodeReading, ...], RunSnapshot]] = {}

    def added(
        self, runs: Sequence[RunSnapshot], now: float, in_view: Path | None = None
    ) -> tuple[RunSnapshot, ...]:
        """Return the runs with their nodes; the very same objects while nothing changed.

        Args:
            runs: Every run.
            now: Seconds since the Unix epoch.
            in_view: Path of the run whose nodes have their histories.
        """
        if in_view is not None and in_view not in self._seeded:
            self._seeded.add(in_view)
            self._added.pop(in_view, None)
        return tuple(self._with_nodes(run, len(runs) == 1, now) for run in runs)

    def _with_nodes(self, run: RunSnapshot, is_only: bool, now: float) -> RunSnapshot:
        directory = run.path
        nodes = self._follower(directory).read(now)
        if not nodes and is_only and len(self._roots) == 1:
            # The run may lie deeper than the directory that was given to the recorder.
            directory = self._roots[0]
            nodes = self._follower(directory).read(now)
        if not nodes:
            return run
        known = self._added.get(run.path)
        if known is None or known[0] is not run or known[1] is not nodes:
            job = next((node.job for node in nodes if node.job is not None), None)
            is_seeded = run.path in self._seeded
            shown = self._with_histories(directory, nodes) if is_seeded else nodes
            known = self._added[run.path] = (run, nodes, replace(run, nodes=shown, job=job))
        return known[2]

    def _with_histories(
        self, directory: Path, nodes: Sequence[NodeReading]
    ) -> tuple[NodeReading, ...]:
        """The nodes with what their recorders wrote before; read once."""
        for node in nodes[:MOST_HISTORIES]:
            key = directory, node.name
            if key not in self._histories:
                self._histories[key] = gpu_histories(directory, node.name)
        return tuple(
            replace(node, histories=self._histories.get((directory, node.name), ()))
            for node in nodes
        )

    def _follower(self, path: Path) -> NodeFollower:
        found = self._followers.get(path)
        if found is None:
            found = self._followers[path] = NodeFollower(path)
        return found


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
    """The lines of a file, unless it cannot be read or is larger than any journal."""
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
