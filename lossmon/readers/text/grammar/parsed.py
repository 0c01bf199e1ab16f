"""Parsed line of text: its metrics and its position."""

from __future__ import annotations

import math
from enum import Enum

from lossmon.fast_dataclass import dataclass

TextSpan = tuple[int, int]

LOGARITHM = 0.0
"""Scale of a number whose natural logarithm is the value, as a perplexity's is a loss."""


class Scale(Enum):
    """What the number of a position counts."""

    NONE = "none"
    """The line says no position."""
    STEP = "step"
    """Steps since the start of the run."""
    WITHIN = "within"
    """Steps since the start of the epoch."""
    EITHER = "either"
    """Steps beside an epoch: whether they restart with it shows at the next epoch."""
    EPOCH = "epoch"
    """Epochs only."""
    ROUND = "round"
    """Boosting rounds."""
    TRIAL = "trial"
    """Trials of a study."""


@dataclass(frozen=True, slots=True)
class LinePosition:
    """What a line says of its place, as spans of the line.

    Attributes:
        scale: What `step` counts.
        step: The step.
        total: What stands behind its slash.
        epoch: The epoch.
        epochs: What stands behind its slash.
        leading: It stands at the start of the message, so that it also holds for lines below.
        split: `eval` or `test` where the position itself says so, else empty.
        taken: Everything that belongs to the position and is no value.
        zero: The epochs are known to begin at 0 (False: at 1, None: unknown).
    """

    scale: Scale = Scale.NONE
    step: TextSpan | None = None
    total: TextSpan | None = None
    epoch: TextSpan | None = None
    epochs: TextSpan | None = None
    leading: bool = False
    split: str = ""
    taken: tuple[TextSpan, ...] = ()
    zero: bool | None = None


@dataclass(frozen=True, slots=True)
class LineValue:
    """A number of a line that is a metric.

    Attributes:
        name: Tag under which it is given.
        span: Where the number stands.
        scale: What to multiply it by (`12.5k`), or `LOGARITHM`.
    """

    name: str
    span: TextSpan
    scale: float = 1.0


def scaled(text: str, scale: float) -> float:
    """Return the value that a number stands for; NaN for the logarithm of none above 0."""
    number = float(text)
    if scale != LOGARITHM:
        return number * scale
    return math.log(number) if number > 0 else math.nan


@dataclass(frozen=True, slots=True)
class MetricLine:
    """What is known of a line, as spans of it. Depends on its shape alone, not on its numbers.

    Attributes:
        values: Metrics, left to right.
        position: Where it stands in the training.
        rank: Span of the rank prefix's number, or None.
        time: Span of the date and time in front, or None.
        trainer: A record of the HF Trainer: a step must be found for its fractional epoch.
        echo: A second print of such a record, by LLaMA-Factory's own logger.
        quoted: Its epoch stands in quotes, rounded to four significant digits.
        summary: The HF Trainer's closing record.
        last_only: A count within an evaluation: only its last line is a result.
        stale: Eval values here repeat until the next evaluation.
        mean: The means of an epoch, repeated at its end.
        bar: A state of a progress bar.
        columns: The line heads a table with these columns.
        split: `eval` or `test` where the line speaks of an evaluation, else empty.
        best: Span of the best value so far of a boosted model, whose direction it tells.
        averaged: Its values are means over the batches of an evaluation so far.
        heading: `train`, `eval` or `test` where it announces one in the lines below, else empty.
        adjacent: It says neither a place nor a loss: believed only close below a line that does.
        unit: Its step is printed in so many, and rounded to them: `1K` from 500 to 1,499.
    """

    values: tuple[LineValue, ...]
    position: LinePosition
    rank: TextSpan | None = None
    time: TextSpan | None = None
    trainer: bool = False
    echo: bool = False
    quoted: bool = False
    summary: bool = False
    last_only: bool = False
    stale: bool = False
    mean: bool = False
    bar: bool = False
    columns: tuple[str, ...] = ()
    split: str = ""
    best: TextSpan | None = None
    averaged: bool = False
    heading: str = ""
    unit: int = 1
    adjacent: bool = False
