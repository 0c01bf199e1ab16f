"""How the records of a structured log become points and facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.readers.records.axis import StepAxis
from lossmon.readers.records.frame import Column, Frame
from lossmon.readers.records.names import STEP_NAMES, plain
from lossmon.readers.values import duration, moment, written_moment
from lossmon.types import Axis, Batch, Facts, Floats, Points, TextSample

MOST_TAGS = 4096
"""Different tags taken from one file: a log with more names numbers by what they hold."""

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
"""Names that can hold the moment of a record, the surest first."""

TOTAL_STEP_NAMES = frozenset(
    {"total_steps", "max_steps", "num_training_steps", "max_iters", "total_iters", "train_iters"}
)
TOTAL_EPOCH_NAMES = frozenset({"total_epochs", "num_epochs", "max_epochs", "num_train_epochs"})
REMAINING_NAMES = frozenset({"eta_seconds", "remaining_time", "time_remaining", "eta"})

USEFUL_TEXTS = frozenset(TIME_NAMES) | REMAINING_NAMES
"""Names of the texts that a layout may look at."""

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
"""Columns that identify something instead of measuring it."""

_SETTINGS = re.compile(r"^(?:config|hparams|hyper_?parameters|args)/")
"""How names begin that repeat a setting in every record."""


@dataclass(slots=True)
class Found:
    """What one call of a reader has gathered so far."""

    points: list[Points] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    samples: list[TextSample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def batch(self, *, replaced: bool = False, pending: int = 0) -> Batch:
        """Return it all as a batch."""
        return Batch(
            points=tuple(self.points),
            facts=tuple(self.facts),
            samples=tuple(self.samples),
            notes=tuple(self.notes),
            replaced=replaced,
            pending=pending,
        )


class Layout(Protocol):
    """Makes points of frames, one file from its beginning to its end."""

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add what the next frame holds.

        Args:
            frame: The next records.
            first: Position of its first record among all of the file.
            found: Where to add it.

        Raises:
            OtherAxisError: The file must be read again with another axis.
        """
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a log mean something special, and how it names the others.

    Attributes:
        steps: Names of the step, the surest first.
        axis: What the step counts where it is not an optimizer step.
        ignored: Names that are no quantities, beyond `IGNORED`; as `plain` gives them.
        renamed: Better names for quantities whose own name says too little, by `plain` name.
        prefix: What to put before every other name.
        dropped: What to take away from the beginning of a name.
    """

    steps: tuple[str, ...] = STEP_NAMES
    axis: Axis = Axis.STEP
    ignored: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    dropped: str = ""

    def tag(self, name: str) -> str:
        """The name of a series."""
        return self.renamed.get(plain(name)) or self.prefix + name.removeprefix(self.dropped)


class MetricColumns:
    """The layout of most logs: one record a moment, one column a quantity.

    Args:
        axis: What the file is known to count, None at first sight.
        columns: What is special about this kind of log.
    """

    def __init__(self, axis: Axis | None = None, columns: Columns | None = None) -> None:
        self._columns = columns or Columns()
        self._axis = StepAxis(axis, self._columns.steps)
        self._facts = PlanFacts()
        self._tags: set[str] = set()
        self._full = False

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add the points of every quantity, and what is new about the plan of the run."""
        place = self._axis.place(frame)
        axis = self._columns.axis if place.axis is Axis.STEP else place.axis
        walls, clocks = wall_times(frame)
        order = np.arange(first, first + frame.n, dtype=np.int64)
        for name, column in frame.columns.items():
            if name in place.used or self._is_no_quantity(name) or not self._admit(name, found):
                continue
            if name in clocks:
                column = _durations(column)
            rows = column.rows
            if len(rows):
                tag = self._columns.tag(name)
                found.points.append(
                    Points(tag, place.steps[rows], walls[rows], column.values, order[rows], axis)
                )
        self._facts.learn(frame, found)

    def _is_no_quantity(self, name: str) -> bool:
        short = plain(name)
        return (
            short in IGNORED
            or short in self._columns.ignored
            or self._facts.knows(short)
            or _SETTINGS.match(short) is not None
        )

    def _admit(self, name: str, found: Found) -> bool:
        if name in self._tags:
            return True
        if len(self._tags) >= MOST_TAGS:
            if not self._full:
                found.notes.append(f"more than {MOST_TAGS:,} different names: the rest is ignored")
                self._full = True
            return False
        self._tags.add(name)
        return True


class PlanFacts:
    """Finds the planned length and the time left in the columns that some logs repeat."""

    def __init__(self) -> None:
        self._known = Facts()

    def knows(self, name: str) -> bool:
        """Whether a column speaks of the plan and is not a quantity; `name` as `plain` gives it."""
        return name in TOTAL_STEP_NAMES or name in TOTAL_EPOCH_NAMES or name in REMAINING_NAMES

    def learn(self, frame: Frame, found: Found) -> None:
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
            found.facts.append(known)


def wall_times(frame: Frame) -> tuple[Floats, frozenset[str]]:
    """Return the moment of each record, NaN where it has none, and the columns that gave it.

    Of such a column only what cannot be a moment (the seconds that a step took) is a quantity.
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
    """The same as `moment`, for a column."""
    if len(values) < 4:
        return np.array([moment(value) for value in values.tolist()], np.float64)
    seconds = (values > 1e9) & (values < 1e11)
    milliseconds = (values > 1e12) & (values < 1e14)
    return np.where(seconds, values, np.where(milliseconds, values / 1e3, np.nan))


def _durations(column: Column) -> Column:
    """What of a column are no moments."""
    keep = np.isnan(_moments(column.values))
    return Column(column.rows[keep], column.values[keep])
