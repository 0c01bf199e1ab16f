"""Rows of W&B's history: records with the same keys are stored as columns, by one plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter
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
    """

    step: int
    time: int
    logged: int
    tags: tuple[str, ...]
    places: tuple[int, ...]


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
    return HistoryPlan(step, time, logged, names, places)


class HistoryRows:
    """Consecutive rows of one plan that were not stored yet.

    Args:
        points: Where they are stored.
    """

    def __init__(self, points: PointsBuilder) -> None:
        self._points = points
        self._plan: HistoryPlan | None = None
        self._steps: list[int] = []
        self._times: list[float] = []
        self._rows: list[Sequence[float]] = []

    def add(self, plan: HistoryPlan, step: int, values: list[float]) -> None:
        """Add a row, given the values of all its keys."""
        if plan is not self._plan:
            self.flush()
            self._plan = plan
        self._steps.append(step)
        self._times.append(values[plan.time] if plan.time >= 0 else math.nan)
        self._rows.append(values)

    def flush(self) -> None:
        """Store the rows."""
        rows, plan = self._rows, self._plan
        if not rows or plan is None:
            return
        width = len(plan.tags)
        orders = self._points.reserve(len(rows) * width)
        for at, (tag, place) in enumerate(zip(plan.tags, plan.places, strict=True)):
            values = map(itemgetter(place), rows)
            self._points.extend(tag, Axis.STEP, orders[at::width], self._steps, self._times, values)
        self._plan, self._steps, self._times, self._rows = None, [], [], []
