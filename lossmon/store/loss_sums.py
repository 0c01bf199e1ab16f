"""The loss of a run that logs only its parts: their sum, which is what detectors minimise."""

from __future__ import annotations

import re
from dataclasses import field
from typing import NamedTuple

import numpy as np

from lossmon.fast_dataclass import dataclass
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
_WORD = re.compile(r"[a-z]+\d?|\d+")

FEWEST = 2
"""Parts that make a sum."""

PATIENCE = 4096
"""Rows of a part that wait for the other parts; a part that is logged alone has none."""


class LossPartGroup(NamedTuple):
    """What is summed: the parts on one split of one file, counted alike."""

    where: str
    axis: Axis


@dataclass(slots=True)
class _SummedRow:
    order: int
    step: int
    wall: float
    value: float


@dataclass(slots=True)
class LossSum:
    """The sum of the parts of one loss in one file, row by row.

    Detection losses are weighted before they are logged, so that the plain sum of the parts is
    what the optimizer sees. Nothing else is summed: who logs the two losses of a GAN, or a
    policy's and a value's, minimises no sum of them, or one with weights that nobody logs.

    Attributes:
        closed: The file logs a total itself, or the parts are none of a detector.
        name: Tag of the sum, spelled as its parts are (`val/loss (sum)`); empty before the first.
    """

    closed: bool = False
    name: str = ""
    _parts: dict[str, Meaning] = field(default_factory=dict)
    _waiting: dict[str, list[_SummedRow]] = field(default_factory=dict)

    def offer(self, points: Points, meaning: Meaning) -> bool:
        """Take points of a part; True if the sum begins anew, because the part is a new one."""
        anew = points.tag not in self._parts and bool(self._parts)
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
        return anew

    def begin_anew(self, columns: dict[str, TagColumns], offset: int) -> None:
        """Sum all rows again, those of the new part with them."""
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
        """What the sum stands for; its key names the parts."""
        first = next(iter(self._parts.values()))
        parts = tuple(sorted(one.part.removeprefix("test ") for one in self._parts.values()))
        where = first.key.partition("/")[0]
        key = f"{where}/loss_of_{'_'.join(parts).replace(' ', '_')}"
        return Meaning(
            key, f"{where} loss (sum)", first.split, Kind.LOSS, "", True, secondary=True,
            sum_of=tuple(self._parts),
        )  # fmt: skip

    def take(self, axis: Axis) -> Points | None:
        """Return the rows of which every part is known; those that lack one are dropped."""
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
        """Sum nothing any more."""
        self.closed = True
        self._waiting.clear()


def is_part(meaning: Meaning) -> bool:
    """Whether a series is a part of a detector's loss."""
    if meaning.kind is not Kind.LOSS or meaning.summary or meaning.secondary:
        return False
    words = _words(meaning)
    known = _PLACE_WORDS | _CLASS_WORDS | _OTHER_WORDS
    return bool(words) and all(word in known or word.isdigit() for word in words)


def is_total(meaning: Meaning) -> bool:
    """Whether a series is a loss as a whole."""
    return meaning.kind is Kind.LOSS and not meaning.part and not meaning.summary


def _words(meaning: Meaning) -> list[str]:
    part = meaning.part.removeprefix("test ")
    words = part.split()
    return words if all(_WORD.fullmatch(word) for word in words) else []


def _is_detector(parts: dict[str, Meaning]) -> bool:
    """Whether parts tell both where things are and what they are."""
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
