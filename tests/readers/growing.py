"""Reading a file as it grows, and comparing what came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from lossmon.readers.format import Format
from lossmon.readers.registry import formats
from lossmon.types import Batch, Reader, TextSample
from tests import paths

DATA = paths.DATA

Series = dict[str, list[tuple[int, str, str]]]
"""By tag: (step, value, axis); values as text, so that NaN equals NaN."""


def read(reader: Reader) -> Batch:
    """One call with all the time it needs."""
    return reader.read(time.monotonic() + 60.0)


def titled(title: str) -> tuple[Format, ...]:
    """The formats that people know by a title."""
    return tuple(one for one in formats() if one.title == title)


class Collected:
    """What a reader gave over several calls, as a store would keep it."""

    def __init__(self) -> None:
        self.series: Series = {}
        self.orders: dict[tuple[str, str], list[int]] = {}
        self.samples: list[TextSample] = []
        self.finished: bool | None = None
        self.total_steps: int | None = None
        self.notes: list[str] = []

    def add(self, batch: Batch) -> None:
        if batch.replaced:
            self.series, self.orders, self.samples = {}, {}, []
        for points in batch.points:
            rows = zip(points.steps.tolist(), points.values.tolist(), strict=True)
            column = self.series.setdefault(points.tag, [])
            column += [(step, repr(value), points.axis.value) for step, value in rows]
            orders = self.orders.setdefault((points.tag, points.axis.value), [])
            fresh = [*orders[-1:], *points.order.tolist()]
            assert all(a < b for a, b in pairwise(fresh)), "positions must only go up"
            orders += points.order.tolist()
        self.samples += batch.samples
        for facts in batch.facts:
            self.finished = self.finished if facts.finished is None else facts.finished
            self.total_steps = facts.total_steps or self.total_steps
        self.notes += batch.notes

    def values(self, tag: str) -> list[tuple[int, float]]:
        return [(step, float(value)) for step, value, _ in self.series[tag]]


def read_whole(reader: Reader) -> Collected:
    """Everything that is in the file."""
    collected = Collected()
    while True:
        batch = read(reader)
        collected.add(batch)
        if not batch.pending:
            return collected


def read_growing(
    path: Path, content: bytes, cuts: Iterable[int], make: Callable[[Path], Reader]
) -> Collected:
    """What comes out if a reader looks after each cut."""
    path.write_bytes(b"")
    reader, collected = make(path), Collected()
    start = 0
    for cut in [*cuts, len(content)]:
        with path.open("ab") as file:
            file.write(content[start:cut])
        start = cut
        collected.add(read(reader))
    return collected
