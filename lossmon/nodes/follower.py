"""Readings of the nodes of runs, followed from the files that recorders write into them."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.nodes.journal import DIRECTORY, is_journal
from lossmon.types import GpuReading, NodeGpuHistory, NodeReading, RunSnapshot

if TYPE_CHECKING:
    from lossmon.nodes.samples import NodeSample

LIST_INTERVAL = 10.0
"""Seconds between looks for nodes that joined."""

LOOK_INTERVAL = 2.0
"""Seconds between looks at the file of one node."""

MOST_NODES = 1024
"""Nodes of one run that are followed."""

TAIL = 192 << 10
"""Bytes at the end of a file that are read at first: a sparkline of eight GPUs."""

HISTORY = 60
"""Utilizations per GPU that are kept: as wide as a sparkline gets."""

PATIENCE = 3.0
"""Intervals without a sample after which a node counts as stale."""

GRACE = 45.0
"""Seconds that are never stale: a network file system shows a change half a minute late."""

FORGOTTEN = 24 * 3600.0
"""Seconds by which a stale node may be older than the newest one: beyond that it belonged to an
earlier job."""


class NodeFollower:
    """The nodes of one run. One thread calls it.

    Args:
        monotonic: Seconds that never go back.
    """

    def __init__(self, run: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._directory = os.path.join(run, DIRECTORY)
        self._monotonic = monotonic
        self._files: dict[str, _NodeFile] = {}
        self._next_list = self._next_look = -1.0
        self._nodes: tuple[NodeReading, ...] = ()

    def read(self, now: float) -> tuple[NodeReading, ...]:
        """Return the nodes; the very same tuple while nothing changed.

        Args:
            now: Seconds since the Unix epoch.
        """
        moment = self._monotonic()
        if moment >= self._next_list:
            self._next_list = moment + LIST_INTERVAL
            self._list()
        if not self._files:
            return self._nodes
        changed = False
        if moment >= self._next_look:
            self._next_look = moment + LOOK_INTERVAL
            for file in self._files.values():
                changed |= file.read(moment)
        for file in self._files.values():
            changed |= file.age(now, moment)
        if changed:
            from lossmon.nodes.order import ordered

            nodes = (file.reading for file in self._files.values())
            self._nodes = ordered(_current([node for node in nodes if node is not None]))
        return self._nodes

    def _list(self) -> None:
        try:
            with os.scandir(self._directory) as entries:
                names = sorted(entry.name for entry in entries if is_journal(entry.name))
        except OSError:
            return
        for name in names:
            if name not in self._files and len(self._files) < MOST_NODES:
                self._files[name] = _NodeFile(os.path.join(self._directory, name))


def _current(nodes: list[NodeReading]) -> Iterable[NodeReading]:
    """Leave out nodes of an earlier job of the same run."""
    newest = max(nodes, key=lambda node: node.time, default=None)
    for node in nodes:
        assert newest is not None
        earlier = _id(node) != _id(newest) or newest.time - node.time > FORGOTTEN
        if not (node.stale and earlier and not newest.stale):
            yield node


def _id(node: NodeReading) -> str:
    return node.job.id if node.job else ""


class _NodeFile:
    """The file of one node, and how far it was read."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._inode = self._offset = -1
        self._open_line = b""
        self._interval = GRACE
        self._seen = 0.0
        """`time.monotonic()` of the newest sample that came while the file was followed."""
        self._fresh = False
        self._history: dict[int, deque[float]] = {}
        self.reading: NodeReading | None = None

    def read(self, moment: float) -> bool:
        """Read what is new; tell whether there was a sample."""
        from lossmon.nodes.samples import decode

        try:
            samples = [sample for line in self._lines() if (sample := decode(line)) is not None]
        except OSError:
            return False
        for sample in samples:
            self._add(sample, moment)
        return bool(samples)

    def age(self, now: float, moment: float) -> bool:
        """Mark the reading stale, or fresh again; tell whether that changed."""
        if self.reading is None:
            return False
        patience = max(GRACE, PATIENCE * self._interval)
        # A clock that differs counts only until samples have been seen to come.
        quiet = moment - self._seen if self._fresh else now - self.reading.time
        if (stale := quiet > patience) == self.reading.stale:
            return False
        self.reading = replace(self.reading, stale=stale)
        return True

    def _add(self, sample: NodeSample, moment: float) -> None:
        first = self.reading is None
        gpus = tuple(self._with_history(gpu) for gpu in sample.reading.gpus)
        self.reading = replace(sample.reading, gpus=gpus)
        self._interval = sample.interval
        if self._caught_up and not first:
            self._fresh, self._seen = True, moment

    def _with_history(self, gpu: GpuReading) -> GpuReading:
        from lossmon.nodes.samples import MOST_GPUS

        if gpu.index not in self._history and len(self._history) >= MOST_GPUS:
            return gpu
        history = self._history.setdefault(gpu.index, deque(maxlen=HISTORY))
        if gpu.utilization is not None:
            history.append(min(gpu.utilization, 100.0))
        return replace(gpu, utilization_history=tuple(history))

    def _lines(self) -> list[bytes]:
        """The lines that ended since the last call."""
        self._caught_up = self._inode >= 0
        status = os.stat(self._path)
        if status.st_ino == self._inode and status.st_size == self._offset:
            return []
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if status.st_ino != self._inode or status.st_size < self._offset:
                skipped = max(0, status.st_size - TAIL)
                self._inode, self._offset = status.st_ino, skipped
                # The first line of a tail is not whole.
                self._open_line = b"?" if skipped else b""
            data = os.pread(descriptor, max(TAIL, 0), self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(data)
        *lines, rest = (self._open_line + data).split(b"\n")
        self._open_line = rest[-TAIL:]
        return lines


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
        from lossmon.nodes.samples import gpu_histories

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
