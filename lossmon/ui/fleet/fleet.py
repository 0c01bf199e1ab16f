"""Fleet: the runs in the list, their order, and the chosen one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from lossmon.types import RunSnapshot
from lossmon.ui.fleet.fields import group_of, own_names
from lossmon.ui.fleet.order import Key, arranged
from lossmon.ui.fleet.query import Fault, Filter, parse

HANDS_OFF = 4.0
"""Seconds after a key in which no row moves: longer than it takes to read a row and press the
next key."""

INTERVAL = 2.0
"""Seconds between two changes of the order: rows that jump more often cannot be read."""


class Fleet:
    """Keeps order and choice while data come in. Rows are named by the path of their run.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._runs: tuple[RunSnapshot, ...] = ()
        self._places: dict[Path, int] = {}
        self._row_of: dict[Path, int] = {}
        self._touched = self._arranged = float("-inf")
        self._wanted: Path | None = None
        self._row = 0
        self._late = False
        self.rows: list[Path] = []
        self.groups: dict[Path, str] = {}
        """Group of each row; empty where runs are not grouped."""
        self.key = Key.ATTENTION
        self.turned = False
        self.filter = Filter()
        self.fault: Fault | None = None

    # ----------------------------------------------------------------------------- data in

    def follow(self, runs: tuple[RunSnapshot, ...], now: float) -> None:
        """Take in new data; the order changes only while the user lets go of it.

        Args:
            now: Seconds since the Unix epoch.
        """
        if runs is not self._runs:
            self._runs = runs
            self._places = {run.path: at for at, run in enumerate(runs)}
            self._late = True
        if self._late and self.may_arrange:
            self.arrange(now)
        elif self._late:
            self._keep()

    @property
    def runs(self) -> tuple[RunSnapshot, ...]:
        """All runs, also those that the filter hides."""
        return self._runs

    @property
    def is_late(self) -> bool:
        """Whether the order is older than the data."""
        return self._late

    @property
    def may_arrange(self) -> bool:
        """Whether rows may move now."""
        clock = self._clock()
        return clock >= self._touched + HANDS_OFF and clock >= self._arranged + INTERVAL

    def arrange(self, now: float) -> None:
        """Put every row in its place now."""
        shown = [run for run in self._runs if self.filter.fits(run, now)]
        placed = arranged(shown, self.key, self.turned, now)
        self.groups = {}
        if self.filter.group:
            self.groups = {run.path: group_of(run, self.filter.group, now) for run in placed}
            # A group stands where its first run would.
            order = {name: at for at, name in enumerate(dict.fromkeys(self.groups.values()))}
            placed.sort(key=lambda run: order[self.groups[run.path]])
        self.rows = [run.path for run in placed]
        self._late, self._arranged = False, self._clock()
        self._stay()

    def _keep(self) -> None:
        """Leave every row where it is; what is gone goes, what is new waits for the next order."""
        self.rows = [path for path in self.rows if path in self._places]
        self._stay()

    def run(self, path: Path) -> RunSnapshot:
        """The run of a row."""
        return self._runs[self._places[path]]

    def index(self, path: Path | None) -> int | None:
        """Where a run stands in the snapshot, None where it does not."""
        return None if path is None else self._places.get(path)

    def names(self) -> Collection[str]:
        """Names of hyperparameters and series that a filter may ask of."""
        return own_names(self._runs)

    # ------------------------------------------------------------------------------ choice

    @property
    def row(self) -> int:
        """Row of the chosen run; 0 where there is none."""
        return self._row

    @property
    def chosen(self) -> Path | None:
        """The chosen run, None while no row is shown."""
        return self.rows[self._row] if self.rows else None

    def touch(self) -> None:
        """The user is at work on the list: rows stay where they are for a while."""
        self._touched = self._clock()

    def choose(self, row: int) -> None:
        """Choose a row, as near as there is one."""
        self.touch()
        if self.rows:
            self._row = max(0, min(row, len(self.rows) - 1))
            self._wanted = self.rows[self._row]

    def choose_path(self, path: Path) -> None:
        """Choose a run, whether or not it is shown."""
        self._wanted = path
        self._stay()

    def step(self, path: Path, by: int) -> Path | None:
        """The run some rows from another one, round the ends; None where there is no row."""
        self.touch()
        if not self.rows:
            return None
        row = self.row_of(path)
        if row is None:
            return self.rows[0 if by > 0 else -1]
        return self.rows[(row + by) % len(self.rows)]

    def row_of(self, path: Path) -> int | None:
        """Where a run stands in the list, None where it does not."""
        return self._row_of.get(path)

    def _stay(self) -> None:
        """Find the row of the chosen run again; where it is hidden, stay at the same height."""
        self._row_of = {path: row for row, path in enumerate(self.rows)}
        if self._wanted is None:
            self._row = 0
            return
        row = self.row_of(self._wanted)
        last = len(self.rows) - 1
        self._row = max(0, min(self._row, last)) if row is None else row

    # ---------------------------------------------------------------------- order and filter

    def sort(self, key: Key, now: float, *, turned: bool = False) -> None:
        """Sort by a key, at once."""
        self.key, self.turned = key, turned
        self.touch()
        self.arrange(now)

    def sift(self, text: str, now: float) -> None:
        """Filter as typed, at once; text that means nothing leaves the last good filter."""
        self.touch()
        read = parse(text, self.names)
        if isinstance(read, Fault):
            self.fault = read
            return
        self.fault = None
        self.filter = read
        self.arrange(now)


def following(keys: Sequence[Key], key: Key) -> Key:
    """The key behind another one, round the end."""
    return keys[(keys.index(key) + 1) % len(keys)]
