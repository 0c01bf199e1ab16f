"""Run selection: which run is in view, and which are marked for comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.types import RunSnapshot, RunState, Snapshot

if TYPE_CHECKING:
    from lossmon.ui.fleet.fleet import Fleet


class RunSelection:
    """Keeps the run in view while runs come and go.

    Args:
        snapshot: What is known at the start.
        clock: Seconds since the Unix epoch.

    Attributes:
        index: Index in the snapshot of the run in view; out of range while there is no run.
        marked: Paths of the runs marked for comparison.
        is_chosen: Whether the user chose the run in view.
    """

    def __init__(self, snapshot: Snapshot, clock: Callable[[], float]) -> None:
        self._snapshot, self._clock = snapshot, clock
        self._fleet: Fleet | None = None
        self.index = liveliest(snapshot)
        self.marked: frozenset[Path] = frozenset()
        self.is_chosen = False

    @property
    def run(self) -> RunSnapshot | None:
        """The run in view, None while there is none."""
        runs = self._snapshot.runs
        return runs[self.index] if self.index < len(runs) else None

    @property
    def fleet(self) -> Fleet:
        """Order, filter and choice of all runs; made when first asked for."""
        if self._fleet is None:
            from lossmon.ui.fleet.fleet import Fleet

            self._fleet = Fleet()
        self._fleet.follow(self._snapshot.runs, self._clock())
        return self._fleet

    @property
    def position(self) -> tuple[int, int] | None:
        """Rank of the run in view among the runs as sorted and filtered, from 1, and their count;
        None where the filter hides it."""
        run, runs = self.run, self._snapshot.runs
        if self._fleet is None or run is None:
            return self.index + 1, len(runs)
        row = self._fleet.row_of(run.path)
        return None if row is None else (row + 1, len(self._fleet.rows))

    def update(self, snapshot: Snapshot) -> None:
        """Take new data. A run that the user chose stays in view; until then the liveliest is."""
        run, self._snapshot = self.run, snapshot
        same = None
        if self.is_chosen and run is not None:
            same = next((i for i, one in enumerate(snapshot.runs) if one.path == run.path), None)
        self.index = liveliest(snapshot) if same is None else same

    def choose(self, index: int) -> None:
        """Show a run of the snapshot."""
        if index < len(self._snapshot.runs):
            self.index, self.is_chosen = index, True

    def choose_path(self, path: Path) -> None:
        """Show the run at a path."""
        index = self.fleet.index(path)
        if index is not None:
            self.choose(index)

    def step(self, by: int) -> None:
        """Show another run of the fleet, in the order it is sorted and filtered."""
        path = None if self.run is None else self.fleet.step(self.run.path, by)
        if path is not None:
            self.choose_path(path)

    def mark(self, path: Path) -> None:
        """Mark a run for comparison, or remove its mark."""
        self.marked ^= {path}


def liveliest(snapshot: Snapshot) -> int:
    """Index of the run to show first: one with losses, active, then the newest; 0 without any."""
    active = (RunState.RUNNING, RunState.STALLED)
    ranked = [
        (
            run.train is not None or run.eval is not None,
            run.state in active,
            run.last_time or 0.0,
            -index,
        )
        for index, run in enumerate(snapshot.runs)
    ]
    return -max(ranked)[-1] if ranked else 0
