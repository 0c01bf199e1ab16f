"""Rows of consecutive records, and their points per tag."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from lossmon.readers.tensorboard.tags import EventTags
from lossmon.types import Ints, Points


class EventRows:
    """One row per record, filled in any order; records with several scalars have more rows.

    Attributes:
        tags: Number of the tag, -1 if the record does not hold a scalar.
        steps: Step.
        wall_times: Seconds since the Unix epoch.
        values: The scalar.
    """

    def __init__(self, n: int) -> None:
        self.tags = np.full(n, -1, np.int16)
        self.steps = np.zeros(n, np.int64)
        self.wall_times = np.zeros(n)
        self.values = np.zeros(n)
        self._extra: list[tuple[int, int, int, int, float, float]] = []

    def put(
        self, row: int, place: int, tag: int, step: int, wall_time: float, value: float
    ) -> None:
        """Add a scalar of a record; `place` counts the values of that record."""
        if self.tags[row] < 0:
            self.tags[row], self.steps[row] = tag, step
            self.wall_times[row], self.values[row] = wall_time, value
        else:
            self._extra.append((row, place, tag, step, wall_time, value))

    def points(self, orders: Ints, tags: EventTags) -> Iterator[Points]:
        """Yield the points of each tag.

        Args:
            orders: Offset of each record in the file.
            tags: The tags by number.
        """
        if self._extra:
            orders = self._merge_extra(orders)
        by_tag = np.argsort(self.tags, kind="stable")
        sorted_tags = self.tags[by_tag]
        by_tag = by_tag[np.searchsorted(sorted_tags, 0) :]
        sorted_tags = self.tags[by_tag]
        edges = [0, *(np.flatnonzero(np.diff(sorted_tags)) + 1).tolist(), len(by_tag)]
        steps, values = self.steps[by_tag], self.values[by_tag]
        wall_times, orders = self.wall_times[by_tag], orders[by_tag]
        for start, stop in pairwise(edges):
            if start == stop:
                continue
            tag, part = int(sorted_tags[start]), slice(start, stop)
            yield Points(
                tags.names[tag],
                steps[part],
                wall_times[part],
                values[part],
                orders[part],
                tags.axes[tag],
            )

    def _merge_extra(self, orders: Ints) -> Ints:
        rows, places, tags, steps, wall_times, values = zip(*self._extra, strict=True)
        # A record is longer than the number of its values, so no two orders are the same.
        orders = np.concatenate([orders, orders[np.array(rows)] + np.array(places)])
        in_order = np.argsort(orders, kind="stable")
        self.tags = np.concatenate([self.tags, np.array(tags, np.int16)])[in_order]
        self.steps = np.concatenate([self.steps, np.array(steps, np.int64)])[in_order]
        self.wall_times = np.concatenate([self.wall_times, np.array(wall_times)])[in_order]
        self.values = np.concatenate([self.values, np.array(values)])[in_order]
        self._extra = []
        return orders[in_order]
