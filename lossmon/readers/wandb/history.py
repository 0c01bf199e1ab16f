"""Rows of W&B's history: records with the same keys are stored as columns, by one plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from lossmon.readers.points_builder import PointsBuilder
from lossmon.types import Axis

IGNORED, STEP, TIME, LOGGED, DEFINED = "", "_step", "_timestamp", "_logged", "_defined"
"""What a key may be other than a tag. No tag begins with an underscore."""

_ABSENT = -1


class HistoryPlan(NamedTuple):
    """What the values of records with certain keys are, by their positions.

    Attributes:
        step: Of W&B's own step, -1 where absent.
        time: Of the time.
        logged: Of the optimizer step.
        tags: Of the metrics.
        places: Positions of the metrics.
        width: Number of values.
    """

    step: int
    time: int
    logged: int
    tags: tuple[str, ...]
    places: tuple[int, ...]
    width: int

    def column(self, place: int, values: list[float]) -> list[float]:
        """The values at one position of each row, NaN where there is none.

        Args:
            place: The position, -1 for none.
            values: The values of all rows in turn.
        """
        if place < 0:
            return [math.nan] * (len(values) // self.width)
        return values[place :: self.width]


def plan_of(tags: Sequence[str]) -> HistoryPlan | None:
    """The plan of records with these tags; None where a key occurs twice or needs a look at all.

    Args:
        tags: Tag of each key in turn, or what else it is.
    """
    if DEFINED in tags or len(set(tags)) < len(tags) - tags.count(IGNORED) + (IGNORED in tags):
        return None
    known = (IGNORED, STEP, TIME, LOGGED)
    metrics = [(tag, at) for at, tag in enumerate(tags) if tag not in known]
    if len(metrics) < 2:
        return None
    step, time, logged = (tags.index(name) if name in tags else _ABSENT for name in known[1:])
    names, places = zip(*metrics, strict=True)
    return HistoryPlan(step, time, logged, names, places, len(tags))


class HistoryRows:
    """Consecutive rows of one plan that were not stored yet.

    Args:
        points: Where they are stored.
    """

    def __init__(self, points: PointsBuilder) -> None:
        self._points = points
        self._plan: HistoryPlan | None = None
        self._steps: list[int] = []
        self._values: list[float] = []

    def add(self, plan: HistoryPlan, steps: Sequence[int], values: list[float]) -> None:
        """Add rows, given their steps and the values of all their keys in turn."""
        if plan is not self._plan:
            self.flush()
            self._plan = plan
        self._steps += steps
        self._values += values

    def flush(self) -> None:
        """Store the rows."""
        steps, plan = self._steps, self._plan
        if not steps or plan is None:
            return
        width, times = len(plan.tags), plan.column(plan.time, self._values)
        orders = self._points.reserve(len(steps) * width)
        for at, (tag, place) in enumerate(zip(plan.tags, plan.places, strict=True)):
            values = plan.column(place, self._values)
            self._points.extend(tag, Axis.STEP, orders[at::width], steps, times, values)
        self._plan, self._steps, self._values = None, [], []
