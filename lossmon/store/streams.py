"""Streams: the files of one format and sub-run of a run, in the order they were begun."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import TagColumns
from lossmon.store.loss_sums import PATIENCE, LossPartGroup, LossSum, is_part, is_total
from lossmon.types import Axis, Ints, Kind, Meaning, Points, Restart, Split

ORDER_BITS = 37
"""Low bits of a position that number the records of one session of a file: a hundred billion per
session. The high bits are the number of the session."""

ALIKE = 4
"""Newest columns of a file whose steps and times a new one may share."""

SESSIONS = 128
"""How often a file may be replaced and continue; of a log that is rotated more often, the older
points are dropped. Leaves half a million files per run."""

FEWEST_COPIED = 3
"""Points in which two logs must agree to be copies: two may agree by chance."""

COPIED_WITHIN = 600.0
"""Largest difference in seconds between the first lines of a log and its copy, where they have
times: a copy may be buffered, and a run that is started again with the same seed takes longer to
get there."""

MOST_RESTARTS = 1000
"""A loss whose steps go back more often did not restart: two logs are mixed in one file."""


@dataclass(slots=True)
class FileColumns:
    """Columns of one session of one file, by tag."""

    number: int
    columns: dict[str, TagColumns] = field(default_factory=dict)
    restarts: list[tuple[int, int]] = field(default_factory=list)
    """Explicit restarts as (order, step)."""
    _sums: dict[LossPartGroup, LossSum] = field(default_factory=dict)

    def extend(self, points: Points, meaning: Meaning, shown: str) -> None:
        """Append points of one tag.

        Args:
            shown: The tag, prefixed with the sub-run where there is one.
        """
        column = self.columns.get(points.tag)
        if column is None:
            column = TagColumns(shown, meaning, points.axis, self.number)
            if len(points):
                newest = islice(reversed(self.columns.values()), ALIKE)
                column.share(newest, points, self.number << ORDER_BITS)
            self.columns[points.tag] = column
        column.extend(points, self.number << ORDER_BITS)

    def rename(self, meaning_of: Callable[[str], Meaning], scope: str) -> None:
        """Change the meanings of all tags, and rebuild the sums of loss components."""
        sums = {found.name for found in self._sums.values()}
        self.columns = {tag: one for tag, one in self.columns.items() if tag not in sums}
        self._sums = {}
        logged = list(self.columns.items())
        for tag, column in logged:
            column.rename(meaning_of(tag))
        longest = max((column.n for _, column in logged), default=0)
        for start in range(0, longest, PATIENCE):
            for tag, column in logged:
                points = column.points(
                    tag, self.number << ORDER_BITS, slice(start, start + PATIENCE)
                )
                if len(points):
                    self.add_to_sum(points, column.meaning, scope)

    def add_to_sum(self, points: Points, meaning: Meaning, scope: str) -> None:
        """Add points of a loss component to the sum of components; a total ends the sum."""
        total = is_total(meaning)
        if not total and not is_part(meaning):
            return
        group = LossPartGroup(meaning.key.partition("/")[0], points.axis)
        found = self._sums.setdefault(group, LossSum())
        if total:
            self.columns.pop(found.name, None)
            found.close()
        elif not found.closed:
            self._add_component(found, points, meaning, scope)

    def _add_component(self, found: LossSum, points: Points, meaning: Meaning, scope: str) -> None:
        if found.add(points, meaning):
            self.columns.pop(found.name, None)
            found.restart(self.columns, self.number << ORDER_BITS)
        summed = found.drain(points.axis)
        if summed is not None:
            shown = f"{scope}/{summed.tag}" if scope else summed.tag
            self.extend(summed, found.meaning, shown)


@dataclass(slots=True)
class Stream:
    """Files of one format and sub-run, in the order they were begun: one source of the run.

    Attributes:
        source: Name of the format family.
        rank: Preference of its values, lower is better.
        scope: Sub-run inside the run, or empty.
        files: By number of the session: `SESSIONS` times the number of the file, plus the number
            of times it was replaced.
    """

    source: str
    rank: int
    scope: str
    files: dict[int, FileColumns] = field(default_factory=dict)
    version: int = 0
    _restarts: tuple[int, dict[Axis, tuple[Ints, Ints]]] = (-1, {})
    _by_tag: tuple[int, dict[str, list[TagColumns]]] = (-1, {})
    _groups: tuple[int, dict[int, int]] = (-1, {})
    _open: dict[int, int] = field(default_factory=dict)
    """Current session of each file."""
    _undecided: set[int] = field(default_factory=set)
    """Replaced files that may or may not continue: it is not known yet."""

    def add(self, number: int, points: Points, meaning: Meaning) -> None:
        """Append points of one tag of one file."""
        if number in self._undecided:
            self._settle(number, points)
        file = self._file(number)
        file.extend(points, meaning, f"{self.scope}/{points.tag}" if self.scope else points.tag)
        file.add_to_sum(points, meaning, self.scope)
        self.version += 1

    def rename(self, meaning_of: Callable[[str, str, str], Meaning]) -> None:
        """Change the meanings of all tags; `meaning_of` takes tag, scope and source."""
        for file in self.files.values():
            file.rename(lambda tag: meaning_of(tag, self.scope, self.source), self.scope)
        self.version += 1

    def restart(self, number: int, restart: Restart) -> None:
        """Record an explicit restart."""
        file = self._file(number)
        file.restarts.append(((file.number << ORDER_BITS) + restart.order, restart.step))
        self.version += 1

    def clear(self, number: int) -> None:
        """Drop the points of a file."""
        self._undecided.discard(number)
        for session in [session for session in self.files if session // SESSIONS == number]:
            del self.files[session]
            self.version += 1

    def replace_file(self, number: int) -> None:
        """Start a file over: its old points are void unless the new ones continue them.

        A rotated log continues; a rewritten one repeats its points.
        """
        if number not in self._open or self._open[number] + 1 >= SESSIONS:
            self.clear(number)
        elif number * SESSIONS + self._open[number] in self.files:
            self._open[number] += 1
            self._undecided.add(number)

    def _settle(self, number: int, points: Points) -> None:
        """Decide by its first points whether a replaced file continues the old one."""
        self._undecided.discard(number)
        before = [
            file.columns[points.tag]
            for session, file in self.files.items()
            if session // SESSIONS == number and points.tag in file.columns
        ]
        known = [column for column in before if column.n and column.axis is points.axis]
        if not known or int(points.steps[0]) <= max(int(column.steps[-1]) for column in known):
            self.clear(number)

    def _file(self, number: int) -> FileColumns:
        session = number * SESSIONS + self._open.setdefault(number, 0)
        return self.files.setdefault(session, FileColumns(session))

    def by_tag(self) -> dict[str, list[TagColumns]]:
        """Non-empty columns per tag, in the order of their files, without copies of logs."""
        if self._by_tag[0] != self.version:
            found: dict[str, list[TagColumns]] = {}
            for session in sorted(self.files.keys() - self._lone_evaluations()):
                for column in self.files[session].columns.values():
                    if column.n:
                        _add(found.setdefault(column.tag, []), column)
            self._by_tag = (self.version, found)
        return self._by_tag[1]

    def _lone_evaluations(self) -> set[int]:
        """Sessions that only evaluated an earlier model: one step, before any of its training.

        A model that was loaded for an evaluation has made no step, so its only point is at 0.
        """
        found: set[int] = set()
        first: int | None = None
        for session in sorted(self.files):
            columns = [column for column in self.files[session].columns.values() if column.n]
            trained = [int(c.steps.min()) for c in columns if _is_train_loss(c.meaning)]
            if trained:
                first = min(trained) if first is None else min(first, *trained)
            elif first is not None and all(int(c.steps.max()) < first for c in columns):
                found.add(session)
        return found

    def restarts(self, axis: Axis) -> tuple[Ints, Ints]:
        """Where the run restarted: `(orders, steps)`, orders ascending.

        Only explicit restarts and a train loss whose steps go back count: other tags may be
        logged out of order while training continues.
        """
        if self._restarts[0] != self.version:
            self._restarts = (self.version, {})
        known = self._restarts[1]
        if axis not in known:
            known[axis] = self._find_restarts(axis)
        return known[axis]

    def restarts_of(self, column: TagColumns) -> tuple[Ints, Ints]:
        """The restarts at comparable positions: in the file of a column or in related files.

        Successive files share tags. Files with one tag each run in parallel, and each has its own
        restarts.
        """
        orders, steps = self.restarts(column.axis)
        if not len(orders) or len(self.files) == 1:
            return orders, steps
        if self._groups[0] != self.version:
            self._groups = (self.version, self._tag_groups())
        groups = self._groups[1]
        same = [groups.get(int(order) >> ORDER_BITS) == groups[column.file] for order in orders]
        return orders[same], steps[same]

    def _tag_groups(self) -> dict[int, int]:
        """One number for all sessions that share tags, directly or through others."""
        groups: dict[int, int] = {}
        first_of: dict[str, int] = {}
        for session, file in self.files.items():
            groups[session] = session
            for tag in file.columns:
                other = groups[first_of.setdefault(tag, session)]
                own = groups[session]
                if other != own:
                    groups = {one: other if at == own else at for one, at in groups.items()}
        return groups

    def _find_restarts(self, axis: Axis) -> tuple[Ints, Ints]:
        found: set[tuple[int, int]] = set()
        if axis is Axis.STEP:
            for file in self.files.values():
                found.update(file.restarts)
        for columns in self.by_tag().values():
            fitting = [column for column in columns if column.axis is axis]
            if not fitting or not _is_train_loss(fitting[0].meaning):
                continue
            last, wall = -1, -math.inf
            for column in fitting:
                orders = column.orders
                for index in column.backward if len(column.backward) <= MOST_RESTARTS else ():
                    found.add((int(orders[index]), int(column.steps[index])))
                if column.steps[0] <= last and not column.walls[0] < wall:
                    found.add((int(orders[0]), int(column.steps[0])))
                last, wall = int(column.steps[-1]), float(column.walls[-1])
        ordered = self._distinct(sorted(found), axis)
        orders = np.array([order for order, _ in ordered], np.int64)
        return orders, np.array([step for _, step in ordered], np.int64)

    def _distinct(self, found: list[tuple[int, int]], axis: Axis) -> list[tuple[int, int]]:
        """Drop repeats of a restart, which several losses log one after another."""
        kept: list[tuple[int, int]] = []
        for order, step in found:
            if kept and self._furthest(kept[-1][0], order, axis) <= step:
                continue
            kept.append((order, step))
        return kept

    def _furthest(self, start: int, end: int, axis: Axis) -> int:
        """Largest step of a train loss between two positions; -1 where there is none."""
        furthest = -1
        for file in self.files.values():
            for column in file.columns.values():
                if column.axis is not axis or not _is_train_loss(column.meaning):
                    continue
                first, last = np.searchsorted(column.orders, (start, end))
                if last > first:
                    furthest = max(furthest, int(column.steps[first:last].max()))
        return furthest


def _add(columns: list[TagColumns], column: TagColumns) -> None:
    """Append a column unless it is a copy of another one.

    `tee` and a scheduler write the same lines to two files; the longer one may be behind at
    times, so the first keeps its place unless it is far shorter.
    """
    for place, other in enumerate(columns):
        if _is_copy(column, other):
            if other.total < column.total / 2:
                columns[place] = column
            return
    columns.append(column)


def _is_copy(column: TagColumns, other: TagColumns) -> bool:
    """Whether two columns begin with the same values at about the same time."""
    (steps, values), (other_steps, other_values) = column.opening, other.opening
    n = min(len(steps), len(other_steps))
    if n < FEWEST_COPIED or abs(column.walls[0] - other.walls[0]) > COPIED_WITHIN:
        return False
    return np.array_equal(steps[:n], other_steps[:n]) and np.array_equal(
        values[:n], other_values[:n], equal_nan=True
    )


def _is_train_loss(meaning: Meaning) -> bool:
    return meaning.kind is Kind.LOSS and meaning.split is Split.TRAIN and not meaning.summary


def live(column: TagColumns, restarts: tuple[Ints, Ints]) -> NDArray[np.bool_] | None:
    """Mark the points of a column that no restart made void.

    Returns:
        A mask over the column, or None where every point is live.
    """
    orders, steps = restarts
    if not len(orders) and not column.backward:
        return None
    # The smallest step after each point: a point at or beyond it is void.
    bound = np.full(column.n + 1, np.iinfo(np.int64).max)
    np.minimum.at(bound, np.searchsorted(column.orders, orders), steps)
    if column.backward:
        backward = np.array(column.backward)
        bound[backward] = np.minimum(bound[backward], column.steps[backward])
    mask: NDArray[np.bool_] = column.steps < np.minimum.accumulate(bound[::-1])[::-1][1:]
    return None if mask.all() else mask
