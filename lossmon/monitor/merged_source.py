"""Several sources of runs as one."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.monitor.source import RunSource
from lossmon.types import HardwareReading, MetricNames, Snapshot


class MergedSource:
    """The runs of several sources, one after the other; the hardware is that of the first."""

    def __init__(self, sources: Sequence[RunSource], changed: threading.Event) -> None:
        self.changed = changed
        self._sources = tuple(sources)
        self._lock = threading.Lock()
        self._begun = False
        self._parts: tuple[Snapshot, ...] = ()
        self._merged = Snapshot()

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read each source for its share of the time."""
        share = budget / max(1, len(self._sources))
        return self._merge(tuple(source.poll(share, judge=judge) for source in self._sources))

    def drain(self) -> Snapshot:
        """Read everything that every source has."""
        return self._merge(tuple(source.drain() for source in self._sources))

    def _merge(self, parts: tuple[Snapshot, ...]) -> Snapshot:
        known = self._parts
        if len(parts) != len(known) or any(a is not b for a, b in zip(parts, known, strict=True)):
            self._parts, self._merged = parts, merged(parts)
        return self._merged

    def add(self, source: RunSource) -> None:
        """Add a source, from the next poll on. Any thread may call it."""
        with self._lock:
            if self._begun:
                source.begin()
            self._sources = (*self._sources, source)
        self.changed.set()

    def begin(self) -> None:
        """Begin every source."""
        with self._lock:
            self._begun = True
        for source in self._sources:
            source.begin()

    def prioritise(self, paths: Collection[Path]) -> None:
        """Tell every source."""
        for source in self._sources:
            source.prioritise(paths)

    def set_metric_names(self, names: MetricNames) -> None:
        """Tell every source."""
        for source in self._sources:
            source.set_metric_names(names)

    def load_settings(self, paths: Collection[Path]) -> None:
        """Tell every source."""
        for source in self._sources:
            source.load_settings(paths)

    def stop(self) -> None:
        """Stop every source."""
        for source in self._sources:
            source.stop()


def merged(parts: Sequence[Snapshot]) -> Snapshot:
    """One snapshot of several sources."""
    if not parts:
        return Snapshot()
    hardware = next(
        (part.hardware for part in parts if part.hardware != HardwareReading()), parts[0].hardware
    )
    runs = tuple(run for part in parts for run in part.runs)
    waiting = ", ".join(part.waiting_for for part in parts if part.waiting_for)
    return replace(
        parts[0],
        time=max(part.time for part in parts),
        runs=runs,
        hardware=hardware,
        waiting_for="" if runs else waiting,
        seen_files=0 if runs else sum(part.seen_files for part in parts),
        unread_files=() if runs else tuple(name for part in parts for name in part.unread_files),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        busy=any(part.busy for part in parts),
        read=_read(parts),
    )


def _read(parts: Sequence[Snapshot]) -> tuple[int, int] | None:
    if any(part.busy and part.read is None for part in parts):
        return None
    known = [part.read for part in parts if part.read is not None]
    return sum(done for done, _ in known), sum(count for _, count in known)
