"""Rows of consecutive records, and their points per tag."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from lossmon.readers.tensorboard.event import SummaryValue
from lossmon.sanitize import one_line
from lossmon.types import Axis, Points


class EventRows:
    """One row per record, filled in any order; records with several scalars have more rows.

    Args:
        n: Number of records.
        first: Position of the first row. Positions count rows rather than bytes, so that tags
            logged together keep a fixed distance, and can share a column of positions.

    Attributes:
        tags: Number of the tag, -1 if the record does not hold a scalar.
        steps: Step.
        wall_times: Seconds since the Unix epoch.
        values: The scalar.
    """

    def __init__(self, n: int, first: int = 0) -> None:
        self._first = first
        self.tags = np.full(n, -1, np.int16)
        self.steps = np.zeros(n, np.int64)
        self.wall_times = np.zeros(n)
        self.values = np.zeros(n)
        self._extra: list[tuple[int, int, int, float, float]] = []

    @property
    def end(self) -> int:
        """Position behind the last row."""
        return self._first + len(self.tags) + len(self._extra)

    def position(self, row: int) -> int:
        """Position of a record, once those before it are filled in."""
        return self._first + row + len(self._extra)

    def put(self, row: int, tag: int, step: int, wall_time: float, value: float) -> None:
        """Add a scalar of a record; records with several of them come in their order."""
        if self.tags[row] < 0:
            self.tags[row], self.steps[row] = tag, step
            self.wall_times[row], self.values[row] = wall_time, value
        else:
            self._extra.append((row, tag, step, wall_time, value))

    def points(self, tags: EventTags) -> Iterator[Points]:
        """Yield the points of each tag.

        Args:
            tags: The tags by number.
        """
        if self._extra:
            self._merge_extra()
        by_tag = np.argsort(self.tags, kind="stable")
        sorted_tags = self.tags[by_tag]
        by_tag = by_tag[np.searchsorted(sorted_tags, 0) :]
        sorted_tags = self.tags[by_tag]
        edges = [0, *(np.flatnonzero(np.diff(sorted_tags)) + 1).tolist(), len(by_tag)]
        steps, values = self.steps[by_tag], self.values[by_tag]
        wall_times, orders = self.wall_times[by_tag], by_tag.astype(np.int64) + self._first
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

    def _merge_extra(self) -> None:
        rows, tags, steps, wall_times, values = zip(*self._extra, strict=True)
        # Stable, so further scalars of a record follow the first in their order.
        in_order = np.argsort(np.append(np.arange(len(self.tags)), rows), kind="stable")
        self.tags = np.append(self.tags, np.array(tags, np.int16))[in_order]
        self.steps = np.append(self.steps, np.array(steps, np.int64))[in_order]
        self.wall_times = np.append(self.wall_times, wall_times)[in_order]
        self.values = np.append(self.values, values)[in_order]
        self._extra = []


LONGEST_TAG = 1024
"""Bytes of the longest tag. Real ones have at most some dozen words."""

MOST_TAGS = 20_000
"""Series of one file. A model with the norms of every layer has some thousand; a name with a number
that changes at every step would fill the memory."""

_SCALARS = b"scalars"


class EventTags:
    """Numbers the scalar tags of one file.

    TensorFlow names the plugin of a tag in the tag's first event only, so it is remembered. A
    number without a plugin is a scalar too: the first event of its tag may be in another file.

    Attributes:
        names: Tags by number, as text without control characters.
        axes: What the steps of a tag count, by number.
        refused: Values of tags that were too long or too many.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.axes: list[Axis] = []
        self.refused = 0
        self._numbers: dict[bytes, int] = {}
        self._plugins: dict[bytes, bytes] = {}

    def plugin(self, value: SummaryValue) -> bytes | None:
        """Return the plugin that shows a value's tag, None if no event named it."""
        if value.plugin is None:
            return self._plugins.get(value.tag)
        if len(value.tag) <= LONGEST_TAG and len(self._plugins) < MOST_TAGS:
            self._plugins[value.tag] = value.plugin[:64]
        return value.plugin

    def number(self, value: SummaryValue) -> int | None:
        """Return the number of a scalar's tag, None if it is not a scalar or cannot be kept."""
        plugin = self.plugin(value)
        if value.simple is None and plugin not in (None, _SCALARS) and not value.scalar_class:
            return None
        number = self._numbers.get(value.tag)
        if number is None:
            if len(value.tag) > LONGEST_TAG or len(self.names) >= MOST_TAGS:
                self.refused += 1
                return None
            number = self._numbers[value.tag] = len(self.names)
            self.names.append(one_line(value.tag.decode(errors="replace")))
            self.axes.append(_axis(value))
        return number


def _axis(value: SummaryValue) -> Axis:
    """Keras alone writes `epoch_*` as tensors, and counts epochs there."""
    by_epoch = value.simple is None and value.tag.startswith(b"epoch_")
    return Axis.EPOCH if by_epoch else Axis.STEP
