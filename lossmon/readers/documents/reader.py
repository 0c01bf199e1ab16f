"""Reader for JSON documents that are rewritten as a whole: training histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.json_file import JsonFile, parse_records
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.axis import OtherAxisError
from lossmon.readers.records.columns import MOST_TAGS, MetricColumns, RecordLayout
from lossmon.readers.records.frame import DEPTH, FrameBuilder, RecordFrame, frame_of
from lossmon.readers.records.names import are_metrics, clean_name, names_loss, number_names
from lossmon.readers.values import number
from lossmon.types import Axis, Batch, Facts, Points

_WRAPPERS = ("log_history", "history", "training_history", "logs", "log", "metrics", "results")
"""Names under which a document may keep its records."""

_PLACE = lazy_pattern(r"(?P<what>epoch|step|iter(?:ation)?)?[ _-]?(?P<number>\d{1,12})")
"""A name that is the place of its record."""


Extract = Callable[[object], tuple[RecordFrame, tuple[Facts, ...]]]
"""Extracts the records of a document, and facts about the run."""


class DocumentReader:
    """Reads a JSON document whenever it changes.

    What a new version adds is returned; a version that does not continue the previous one
    replaces it.

    Args:
        source: Name of the format family.
        layout: Makes the layout, which knows the meaning of the records.
    """

    def __init__(
        self,
        path: Path,
        source: str,
        extract: Extract,
        layout: Callable[[Axis | None], RecordLayout] = MetricColumns,
    ) -> None:
        self.path = path
        self.source = source
        self._file = JsonFile(path, parse_records)
        self._extract = extract
        self._layout = layout
        self._points: dict[str, Points] = {}
        self._first = 0

    def read(self, deadline: float) -> Batch:
        """Return what the newest version of the document adds.

        Raises:
            ReadError: The file may not be read, is not a regular file, or is too large.
        """
        document = self._file.read()
        if document is None:
            fault = self._file.lasting_fault()
            note = f"{self.path.name}: not a whole JSON document ({fault}): waiting for the next"
            return Batch(notes=(note,) if fault else ())
        frame, facts = self._extract(document)
        del document  # Of a long training it is larger than all that follows.
        batch = self._laid_out(frame)
        points = {points.tag: points for points in batch.points}
        added = _added(self._points, points)
        replaced = added is None
        if added is None:
            self._first += 1 + max((int(p.order[-1]) for p in self._points.values()), default=0)
            added = list(points.values())
        self._points = points
        return replace(
            batch,
            points=tuple(_shifted(points, self._first) for points in added),
            facts=(*facts, *batch.facts),
            replaced=replaced,
        )

    def _laid_out(self, frame: RecordFrame) -> Batch:
        axis: Axis | None = None
        while True:
            batch = BatchBuilder(MOST_TAGS)
            try:
                self._layout(axis).add(frame, batch)
            except OtherAxisError as error:
                axis = error.axis
            else:
                return batch.drain()


def _shifted(points: Points, first: int) -> Points:
    order = points.order + first
    return Points(points.tag, points.steps, points.wall_times, points.values, order, points.axis)


def _added(before: Mapping[str, Points], now: Mapping[str, Points]) -> list[Points] | None:
    """What `now` holds after the end of `before`; None if it does not continue it."""
    end = max((int(points.order[-1]) for points in before.values()), default=-1)
    added = []
    for tag, points in now.items():
        start = int(np.searchsorted(points.order, end, side="right"))
        if not _same(before.get(tag), points, start):
            return None
        if start < len(points):
            added.append(
                Points(
                    tag,
                    points.steps[start:],
                    points.wall_times[start:],
                    points.values[start:],
                    points.order[start:],
                    points.axis,
                )
            )
    return added if before.keys() <= now.keys() else None


def _same(before: Points | None, now: Points, count: int) -> bool:
    """Whether the first `count` points are those of `before`."""
    if before is None:
        return count == 0
    return (
        len(before) == count
        and before.axis is now.axis
        and np.array_equal(before.steps, now.steps[:count])
        and np.array_equal(before.values, now.values[:count], equal_nan=True)
    )


def history_frame(document: object) -> RecordFrame:
    """Return the records of a training history.

    A history is a list of records, a record of equally long lists (Keras' `History`), records
    named after their epochs or steps, or one of them under a name such as `log_history`. Of
    several lists of records the longest is taken, and among lists of several lengths those of the
    length with the most losses.
    """
    if isinstance(document, list):
        return frame_of(record for record in document if isinstance(record, dict))
    if not isinstance(document, dict):
        return RecordFrame()
    if records := _numbered(document) or _record_list(document):
        return frame_of(records)
    return _frame_of_lists(_lists(document))


def _numbered(document: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of a document whose names are their epochs or steps."""
    records = []
    for name, record in document.items():
        place = _PLACE.fullmatch(name)
        if place is None or not isinstance(record, dict):
            return []
        records.append({place["what"] or "epoch": int(place["number"]), **record})
    return records


def _record_list(document: Mapping[str, object], depth: int = 2) -> list[dict[str, object]]:
    """The longest list of records of metrics in a document, empty if there is none."""
    longest: list[dict[str, object]] = []
    for name, inner in document.items():
        records: list[dict[str, object]] = []
        if isinstance(inner, list):
            records = [record for record in inner if isinstance(record, dict)]
            known = name in _WRAPPERS
            if records and not known and not are_metrics(number_names(records[0])):
                records = []
        elif isinstance(inner, dict) and depth:
            records = _record_list(inner, depth - 1)
        longest = max(longest, records, key=len)
    return longest


def _lists(
    document: Mapping[str, object], prefix: str = "", depth: int = 0
) -> dict[str, list[object]]:
    """The lists of numbers in a document, by their names joined by `/`."""
    lists: dict[str, list[object]] = {}
    for key, value in document.items():
        name = prefix + clean_name(key)
        if isinstance(value, list) and value and number(value[0]) is not None:
            lists[name] = value
        elif isinstance(value, dict) and depth < DEPTH:
            wrapped = depth == 0 and key in _WRAPPERS
            lists.update(_lists(value, prefix if wrapped else name + "/", depth + 1))
    return lists


def _frame_of_lists(lists: Mapping[str, list[object]]) -> RecordFrame:
    if not lists:
        return RecordFrame()
    lengths = Counter[int]()
    for name, values in lists.items():
        lengths[len(values)] += 1 + 100 * names_loss(name)
    length = max(lengths, key=lambda length: (lengths[length], -length))
    cells = FrameBuilder()
    for name, values in lists.items():
        if len(values) == length:
            for row, value in enumerate(values):
                cells.add(row, name, value)
    return cells.frame(length)


def _extract(document: object) -> tuple[RecordFrame, tuple[Facts, ...]]:
    return history_frame(document), ()


def open_history(path: Path) -> DocumentReader:
    """Return a reader of a training history."""
    return DocumentReader(path, "history", _extract)
