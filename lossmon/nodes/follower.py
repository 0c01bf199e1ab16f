"""Readings of the nodes of a run, followed from the files that recorders write into it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from lossmon.nodes.journal import DIRECTORY, is_journal
from lossmon.nodes.order import ordered
from lossmon.nodes.samples import MOST_GPUS, NodeSample, decode
from lossmon.types import GpuReading, NodeReading

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
        run: Directory of the run.
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
