"""The nodes of each run, as recorders on them wrote it into the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.nodes.follower import NodeFollower
from lossmon.nodes.history import gpu_histories
from lossmon.types import NodeGpuHistory, NodeReading, RunSnapshot

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
