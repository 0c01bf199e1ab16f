"""Sum of the loss components of a detector that logs no total: what its optimizer minimises."""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.store.columns import TagColumns
from lossmon.types import Axis, Kind, Meaning, Points


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PLACE_WORDS = _set("box boxes bbox giou ciou diou iou dfl l1 reg regression loc")
_CLASS_WORDS = _set("cls class classifier classification obj objectness conf mask")
_OTHER_WORDS = _set(
    "rpn rcnn roi heads seg sem semantic dice pose kobj kpt keypoint keypoints rle angle "
    "centerness noobj focal vfl category labels"
)
_WORD = lazy_pattern(r"[a-z]+\d?|\d+")

FEWEST = 2
"""Fewest components of a sum."""

PATIENCE = 4096
"""Most rows of a component that wait for the others; a component logged alone has no sum."""


class LossPartGroup(NamedTuple):
    """Components that are summed: those of one split and axis of one file."""

    split: str
    axis: Axis


@dataclass(slots=True)
class _SummedRow:
    order: int
    step: int
    wall: float
    value: float


@dataclass(slots=True)
class LossSum:
    """Sum of the components of one loss in one file, row by row.

    Detection losses are weighted before they are logged, so the plain sum of the components is
    what the optimizer sees. No other losses are summed: the two losses of a GAN, or those of a
    policy and a value function, are not minimised as a sum, or only with weights that are not
    logged.

    Attributes:
        closed: The file logs a total itself, or the components are not those of a detector.
        name: Tag of the sum in the spelling of its components (`val/loss (sum)`); empty before
            the first.
    """

    closed: bool = False
    name: str = ""
    _parts: dict[str, Meaning] = field(default_factory=dict)
    _waiting: dict[str, list[_SummedRow]] = field(default_factory=dict)

    def add(self, points: Points, meaning: Meaning) -> bool:
        """Add points of a component; True if it is new, so that the sum must restart."""
        is_new = points.tag not in self._parts and bool(self._parts)
        if not self.name:
            head, slash, _ = points.tag.rpartition("/")
            self.name = f"{head if slash else meaning.key.partition('/')[0]}/loss (sum)"
        self._parts[points.tag] = meaning
        self._waiting.setdefault(points.tag, []).extend(
            _SummedRow(*row)
            for row in zip(
                points.order.tolist(),
                points.steps.tolist(),
                points.wall_times.tolist(),
                points.values.tolist(),
                strict=True,
            )
        )
        return is_new

    def restart(self, columns: dict[str, TagColumns], offset: int) -> None:
        """Sum all rows again, including those of a new component."""
        for tag in self._parts:
            column = columns[tag]
            self._waiting[tag] = [
                _SummedRow(*row)
                for row in zip(
                    (column.orders - offset).tolist(),
                    column.steps.tolist(),
                    column.walls.tolist(),
                    column.values.tolist(),
                    strict=True,
                )
            ]

    @property
    def meaning(self) -> Meaning:
        """Meaning of the sum; its key names the components."""
        first = next(iter(self._parts.values()))
        parts = tuple(sorted(one.part.removeprefix("test ") for one in self._parts.values()))
        split = first.key.partition("/")[0]
        key = f"{split}/loss_of_{'_'.join(parts).replace(' ', '_')}"
        return Meaning(
            key, f"{split} loss (sum)", first.split, Kind.LOSS, "", True, secondary=True,
            sum_of=tuple(self._parts),
        )  # fmt: skip

    def drain(self, axis: Axis) -> Points | None:
        """Remove and return the rows that have every component; drop those that lack one."""
        if len(self._parts) < FEWEST or not _is_detector(self._parts):
            self._give_up()
            return None
        waiting = list(self._waiting.values())
        rows: list[_SummedRow] = []
        at = [0] * len(waiting)
        while all(i < len(part) for i, part in zip(at, waiting, strict=True)):
            row = [part[i] for i, part in zip(at, waiting, strict=True)]
            if len({one.step for one in row}) == 1:
                rows.append(_added(row))
                at = [i + 1 for i in at]
            else:
                oldest = min(range(len(row)), key=lambda i: row[i].order)
                at[oldest] += 1
        for i, part in zip(at, waiting, strict=True):
            del part[:i]
        self._give_up()
        return _points(self.name, axis, rows) if rows else None

    def _give_up(self) -> None:
        if any(len(part) > PATIENCE for part in self._waiting.values()):
            self.close()

    def close(self) -> None:
        """Stop summing."""
        self.closed = True
        self._waiting.clear()


def is_part(meaning: Meaning) -> bool:
    """Whether a series is a component of a detector's loss."""
    if meaning.kind is not Kind.LOSS or meaning.summary or meaning.secondary:
        return False
    words = _words(meaning)
    known = _PLACE_WORDS | _CLASS_WORDS | _OTHER_WORDS
    return bool(words) and all(word in known or word.isdigit() for word in words)


def is_total(meaning: Meaning) -> bool:
    """Whether a series is a total loss."""
    return meaning.kind is Kind.LOSS and not meaning.part and not meaning.summary


def _words(meaning: Meaning) -> list[str]:
    part = meaning.part.removeprefix("test ")
    words = part.split()
    return words if all(_WORD.fullmatch(word) for word in words) else []


def _is_detector(parts: dict[str, Meaning]) -> bool:
    """Whether components cover both localisation and classification."""
    words = {word for meaning in parts.values() for word in _words(meaning)}
    return not words.isdisjoint(_PLACE_WORDS) and not words.isdisjoint(_CLASS_WORDS)


def _added(row: list[_SummedRow]) -> _SummedRow:
    last = max(row, key=lambda one: one.order)
    return _SummedRow(last.order, last.step, last.wall, sum(one.value for one in row))


def _points(tag: str, axis: Axis, rows: list[_SummedRow]) -> Points:
    return Points(
        tag,
        np.array([row.step for row in rows], np.int64),
        np.array([row.wall for row in rows], np.float64),
        np.array([row.value for row in rows], np.float64),
        np.array([row.order for row in rows], np.int64),
        axis,
    )
