"""Meaning of a tag: split, kind and axis."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from lossmon.fast_dataclass import dataclass


class Split(StrEnum):
    """Data on which a scalar was measured. Scalars that were measured on no data count as train."""

    TRAIN = "train"
    EVAL = "eval"


JUST_SHOWN = "just_shown"
"""Word of the settings for series that are shown but not judged."""

METRIC_WORDS = (
    "eval_higher_is_better",
    "eval_lower_is_better",
    "train_higher_is_better",
    "train_lower_is_better",
    JUST_SHOWN,
)
"""Words of the settings that say what kind a series is and leave it its name. Each may list any
number of tags."""

MetricNames = Mapping[str, str | tuple[str, ...]]
"""The user's names of metrics, the table `[metrics]` of the settings: canonical name or one of
`METRIC_WORDS` → raw tag, or several."""


class Kind(StrEnum):
    """Kind of quantity, in the words of `lossmon check --json`."""

    LOSS = "loss"
    METRIC = "metric"
    LEARNING_RATE = "learning_rate"
    GRAD_NORM = "grad_norm"
    THROUGHPUT = "throughput"
    OTHER = "other"


class Axis(StrEnum):
    """What `Points.steps` counts."""

    STEP = "step"
    """Optimizer steps (iterations, updates), the usual case."""
    EPOCH = "epoch"
    """Whole epochs, one point per epoch, as Keras and Ultralytics log."""
    ORDER = "order"
    """The source has no steps; its points are numbered in their order."""
    TOKENS = "tokens"
    SAMPLES = "samples"
    TRIAL = "trial"
    ROUND = "round"
    """Boosting rounds."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Meaning of a raw tag, independent of the framework's spelling.

    Attributes:
        key: Canonical name, the same for every spelling: `train/loss`, `eval/loss`,
            `learning_rate`, `grad_norm`, `epoch`, `eval/accuracy`, `train/tokens_per_second`.
            Two sources of one run with the same key report the same quantity.
        label: Words for the screen: `eval accuracy`.
        split: Data it was measured on.
        kind: Kind of quantity.
        part: Empty for a total. For a loss component (`box`) or one of several eval sets
            (`easy`), its name.
        lower_is_better: None where neither direction is good.
        unit: Unit printed after the value (`tok/s`), or empty.
        secondary: A running mean, an epoch mean or a repeat of a series that is also logged raw:
            not the headline while there is the raw one.
        summary: A number about the whole run (the final `train_loss` of the HF Trainer), not a
            point of a curve.
        sum_of: Raw tags of the components that were summed where no total is logged; else empty.
    """

    key: str
    label: str
    split: Split = Split.TRAIN
    kind: Kind = Kind.OTHER
    part: str = ""
    lower_is_better: bool | None = None
    unit: str = ""
    secondary: bool = False
    summary: bool = False
    sum_of: tuple[str, ...] = ()
