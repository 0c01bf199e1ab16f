"""Layouts of structured logs: their columns become points and facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.axis import StepAxis
from lossmon.readers.records.frame import FrameColumn, RecordFrame
from lossmon.readers.records.names import SPLIT_NAMES, SPLITS, STEP_NAMES, names_place, plain, words
from lossmon.readers.values import duration, moment, written_moment
from lossmon.types import Axis, Facts, Floats, Ints, Points

MOST_TAGS = 4096
"""Different tags of one file: a log with more of them names numbers after what they hold."""

TIME_NAMES = (
    "_timestamp",
    "timestamp",
    "wall_time",
    "walltime",
    "unix_time",
    "time",
    "ts",
    "create_time",
    "created_at",
    "logged_at",
    "datetime",
    "date",
)
"""Names of columns that may hold the time of a record, the surest first."""

TOTAL_STEP_NAMES = frozenset(
    {"total_steps", "max_steps", "num_training_steps", "max_iters", "total_iters", "train_iters"}
)
TOTAL_EPOCH_NAMES = frozenset({"total_epochs", "num_epochs", "max_epochs", "num_train_epochs"})
REMAINING_NAMES = frozenset({"eta_seconds", "remaining_time", "time_remaining", "eta"})

USEFUL_TEXTS = frozenset(TIME_NAMES) | REMAINING_NAMES | frozenset(SPLIT_NAMES)
"""Names of the texts that a layout may use."""

IGNORED = frozenset(
    {
        "id",
        "pid",
        "seed",
        "rank",
        "local_rank",
        "global_rank",
        "world_size",
        "port",
        "node_ip",
        "hostname",
        "time_since_restore",
        "iterations_since_restore",
        "v_num",
        "hp_metric",
        "version",
    }
)
"""Columns that identify something rather than measure it."""

_SETTINGS = re.compile(r"^(?:config|hparams|hyper_?parameters|args)/")
"""Prefixes of names that repeat a setting in every record."""


class RecordLayout(Protocol):
    """Makes points of frames, one file from its beginning to its end."""

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the points and facts in the next frame to a batch.

        Raises:
            OtherAxisError: The file must be read again with another axis.
        """
        ...


@dataclass(frozen=True, slots=True)
class ColumnRoles:
    """Columns of a log with a special role, and the names of the others.

    Attributes:
        steps: Names of the step, the surest first.
        axis: What the step counts, if it is not an optimizer step.
        ignored: Names that are not quantities, in addition to `IGNORED`; as `plain` returns them.
        renamed: Better names for quantities whose own name is too short, by `plain` name.
        prefix: Added to every other name.
        dropped: Removed from the beginning of every other name.
    """

    steps: tuple[str, ...] = STEP_NAMES
    axis: Axis = Axis.STEP
    ignored: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    dropped: str = ""

    def tag(self, name: str) -> str:
        """Return the tag of a column."""
        return self.renamed.get(plain(name)) or self.prefix + name.removeprefix(self.dropped)


class MetricColumns:
    """The layout of most logs: one record per moment, one column per quantity.

    Args:
        axis: The axis of the file if it is known.
        columns: What is special about this kind of log.
    """

    def __init__(self, axis: Axis | None = None, columns: ColumnRoles | None = None) -> None:
        self._columns = columns or ColumnRoles()
        self._axis = StepAxis(axis, self._columns.steps)
        self._facts = PlanFacts()
        self._tags: dict[str, str] = {}
        """Tag by name, empty where it is not a quantity."""

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add the points of every quantity, and what is new about the plan of the run."""
        placed = self._axis.place(frame)
        axis = self._columns.axis if placed.axis is Axis.STEP else placed.axis
        walls, clocks = wall_times(frame)
        order = batch.points.reserve_column(frame.n)
        steps = placed.steps
        held_out = _held_out(frame)
        for name, column in frame.columns.items():
            tag = self._tag(name)
            if not tag or name in placed.used:
                continue
            if name in clocks:
                column = _durations(column)
            for split, rows, values in _by_split(tag, column, held_out):
                if len(rows) == frame.n:
                    batch.points.add_points(Points(split, steps, walls, values, order, axis))
                elif len(rows):
                    batch.points.add_points(
                        Points(split, steps[rows], walls[rows], values, order[rows], axis)
                    )
        self._facts.add(frame, batch)

    def _tag(self, name: str) -> str:
        tag = self._tags.get(name)
        if tag is None:
            short = plain(name)
            is_quantity = not (
                short in IGNORED
                or short in self._columns.ignored
                or self._facts.knows(short)
                or _SETTINGS.match(short) is not None
            )
            tag = self._columns.tag(name) if is_quantity else ""
            if len(self._tags) < MOST_TAGS:
                self._tags[name] = tag
        return tag


class PlanFacts:
    """Finds the planned length and the remaining time in columns that some logs repeat."""

    def __init__(self) -> None:
        self._known = Facts()

    def knows(self, name: str) -> bool:
        """Whether a column is about the plan and not a quantity; `name` as `plain` returns it."""
        return name in TOTAL_STEP_NAMES or name in TOTAL_EPOCH_NAMES or name in REMAINING_NAMES

    def add(self, frame: RecordFrame, batch: BatchBuilder) -> None:
        """Add what is new about the plan."""
        steps, epochs = self._known.total_steps, self._known.total_epochs
        remaining: float | None = None
        for name, column in frame.columns.items():
            short, last = plain(name), float(column.values[-1])
            if not np.isfinite(last):
                continue
            if short in TOTAL_STEP_NAMES and 0 < last < 1e15:
                steps = int(last)
            elif short in TOTAL_EPOCH_NAMES and last > 0:
                epochs = last
            elif short in REMAINING_NAMES and last >= 0:
                remaining = last
        for name, texts in frame.texts.items():
            if plain(name) in REMAINING_NAMES:
                remaining = duration(texts[-1][1])
        known = Facts(total_steps=steps, total_epochs=epochs, remaining=remaining)
        if known != self._known and known != Facts():
            self._known = known
            batch.facts.append(known)


def _held_out(frame: RecordFrame) -> dict[str, NDArray[np.bool_]]:
    """Which records a column such as `phase` calls measured on held-out data, by its word."""
    for name, texts in frame.texts.items():
        if plain(name) not in SPLIT_NAMES:
            continue
        found: dict[str, NDArray[np.bool_]] = {}
        for row, text in texts:
            word = text.strip().lower()
            if word in SPLITS and not word.startswith("train"):
                found.setdefault(word, np.zeros(frame.n, bool))[row] = True
        if found:
            return found
    return {}


def _by_split(
    tag: str, column: FrameColumn, held_out: dict[str, NDArray[np.bool_]]
) -> Iterator[tuple[str, Ints, Floats]]:
    """A quantity as one series for each data set on which it was measured: tag, rows, values."""
    rows, values = column.rows, column.values
    if held_out and not (names_place(tag) or words(tag) & SPLITS):
        rest = np.ones(len(rows), bool)
        for word, records in held_out.items():
            chosen = records[rows]
            rest &= ~chosen
            yield f"{word}/{tag}", rows[chosen], values[chosen]
        rows, values = rows[rest], values[rest]
    yield tag, rows, values


def wall_times(frame: RecordFrame) -> tuple[Floats, frozenset[str]]:
    """Return the time of each record, NaN if it has none, and the columns it comes from.

    Only values of such a column that cannot be a time (the seconds that a step took) are a
    quantity.
    """
    walls = np.full(frame.n, np.nan)
    clocks: set[str] = set()
    names = {plain(name): name for name in (*frame.texts, *frame.columns)}
    for short in reversed(TIME_NAMES):
        name = names.get(short)
        if name is None:
            continue
        for row, text in frame.texts.get(name, ()):
            when = written_moment(text)
            if when == when:
                walls[row] = when
        column = frame.columns.get(name)
        if column is not None:
            moments = _moments(column.values)
            known = ~np.isnan(moments)
            walls[column.rows[known]] = moments[known]
            if known.any():
                clocks.add(name)
    return walls, frozenset(clocks)


def _moments(values: Floats) -> Floats:
    """`moment` for a column."""
    if len(values) < 4:
        return np.array([moment(value) for value in values.tolist()], np.float64)
    seconds = (values > 1e9) & (values < 1e11)
    milliseconds = (values > 1e12) & (values < 1e14)
    return np.where(seconds, values, np.where(milliseconds, values / 1e3, np.nan))


def _durations(column: FrameColumn) -> FrameColumn:
    """The values of a column that are not times."""
    keep = np.isnan(_moments(column.values))
    return FrameColumn(column.rows[keep], column.values[keep])
