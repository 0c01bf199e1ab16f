"""Histograms, curves and images that a run logged: where they lie, and what they hold."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass

MOST_AT_ONCE = 16
"""Images of one record that are shown beside each other."""

_Floats = NDArray[np.float64]


class MediaKind(StrEnum):
    """What was logged besides scalars and texts."""

    HISTOGRAM = "histogram"
    PR_CURVE = "pr_curve"
    ROC_CURVE = "roc_curve"
    IMAGE = "image"


class MediaRecord(NamedTuple):
    """Where one histogram, curve or image lies; it is decoded when it is looked at.

    Attributes:
        step: Step at which it was logged.
        wall_time: Seconds since the Unix epoch, NaN where unknown.
        path: The log.
        offset: Where its record lies in the log, as the format counts.
        length: Bytes of the record.
    """

    step: int
    wall_time: float
    path: Path
    offset: int
    length: int


class LoggedMedia(NamedTuple):
    """One record as a reader returns it.

    Attributes:
        kind: What it is.
        tag: Name under which it was logged.
        record: Where it lies.
    """

    kind: MediaKind
    tag: str
    record: MediaRecord


@dataclass(frozen=True, slots=True)
class MediaSeries:
    """What was logged under one tag, thinned to a bounded number of steps.

    Attributes:
        kind: What it is.
        tag: Raw name in its source; untrusted as all text from logs.
        name: Name to show: the tag, behind the name of a sub-run.
        source: Format family of the log.
        records: Where they lie, steps ascending; at least one.
    """

    kind: MediaKind
    tag: str
    name: str
    source: str
    records: tuple[MediaRecord, ...]

    @property
    def key(self) -> str:
        """Stays the same while the run grows, and differs from that of every other series."""
        return f"{self.kind} {self.source} {self.name}"

    @property
    def last_step(self) -> int:
        """Newest step."""
        return self.records[-1].step


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of values in bins, from low to high.

    Attributes:
        left: Lower edges, float64, ascending, finite.
        right: Upper edges, each at least its lower edge.
        counts: Values per bin, float64, not negative.
    """

    left: _Floats
    right: _Floats
    counts: _Floats

    @property
    def total(self) -> float:
        """Number of values."""
        return float(self.counts.sum())


@dataclass(frozen=True, slots=True, eq=False)
class PrCurve:
    """Precision over recall, one point per threshold.

    Attributes:
        precision: float64, 0 to 1.
        recall: float64, 0 to 1, ascending.
    """

    precision: _Floats
    recall: _Floats

    @property
    def points(self) -> tuple[_Floats, _Floats]:
        """Positions on the horizontal and on the vertical axis."""
        return self.recall, self.precision

    @property
    def area(self) -> float:
        """Average precision: the area under the curve as a step function, NaN without points."""
        if not len(self.recall):
            return float("nan")
        widths = np.diff(self.recall, prepend=0.0)
        return float((widths * self.precision).sum())


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """True positive rate over false positive rate, one point per threshold.

    Attributes:
        tpr: float64, 0 to 1.
        fpr: float64, 0 to 1, ascending.
    """

    tpr: _Floats
    fpr: _Floats

    @property
    def points(self) -> tuple[_Floats, _Floats]:
        """Positions on the horizontal and on the vertical axis."""
        return self.fpr, self.tpr

    @property
    def area(self) -> float:
        """Area under the curve (AUC) by trapezoids, NaN with fewer than two points."""
        if len(self.fpr) < 2:
            return float("nan")
        return float((np.diff(self.fpr) * (self.tpr[1:] + self.tpr[:-1])).sum() / 2)


ClassifierCurve = PrCurve | RocCurve


@dataclass(frozen=True, slots=True)
class LoggedImage:
    """An image as it was logged, not decoded; or several that were logged at once.

    Attributes:
        file: Name of its file, or of the log that it lies in.
        width: Pixels of the first as the log states them, 0 where it does not.
        height: Likewise.
        data: Encoded images (PNG, JPEG, ...), the first `MOST_AT_ONCE` of them; empty where
            `problem` says why.
        problem: Why it cannot be shown, or empty.
        count: Images that were logged at once.
    """

    file: str
    width: int = 0
    height: int = 0
    data: tuple[bytes, ...] = ()
    problem: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class UnreadableMedia:
    """Stands for a record that cannot be shown.

    Attributes:
        reason: Why.
    """

    reason: str


MediaContent = Histogram | ClassifierCurve | LoggedImage | UnreadableMedia
