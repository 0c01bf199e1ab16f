"""The nodes of each run, as recorders on them wrote it into the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.nodes.follower import NodeFollower
from lossmon.types import NodeReading, RunSnapshot


class RunNodes:
    """Adds the nodes, and the job that they ran in, to runs. One thread calls it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._roots = tuple(paths)
        self._followers: dict[Path, NodeFollower] = {}
        self._added: dict[Path, tuple[RunSnapshot, tuple[NodeReading, ...], RunSnapshot]] = {}

    def added(self, runs: Sequence[RunSnapshot], now: float) -> tuple[RunSnapshot, ...]:
        """Return the runs with their nodes; the very same objects while nothing changed.

        Args:
            runs: Every run.
            now: Seconds since the Unix epoch.
        """
        return tuple(self._with_nodes(run, len(runs) == 1, now) for run in runs)

    def _with_nodes(self, run: RunSnapshot, is_only: bool, now: float) -> RunSnapshot:
        nodes = self._follower(run.path).read(now)
        if not nodes and is_only and len(self._roots) == 1:
            # The run may lie deeper than the directory that was given to the recorder.
            nodes = self._follower(self._roots[0]).read(now)
        if not nodes:
            return run
        known = self._added.get(run.path)
        if known is None or known[0] is not run or known[1] is not nodes:
            job = next((node.job for node in nodes if node.job is not None), None)
            known = self._added[run.path] = (run, nodes, replace(run, nodes=nodes, job=job))
        return known[2]

    def _follower(self, path: Path) -> NodeFollower:
        found = self._followers.get(path)
        if found is None:
            found = self._followers[path] = NodeFollower(path)
        return found
