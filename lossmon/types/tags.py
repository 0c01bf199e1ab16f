"""What a tag means: split, kind, axis."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from lossmon.fast_dataclass import dataclass


class Split(StrEnum):
    """Which data a scalar was measured on. What is neither counts as train."""

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
    """What sort of quantity a series holds, in the words of the `check` contract."""

    LOSS = "loss"
    METRIC = "metric"
    LEARNING_RATE = "learning_rate"
    GRAD_NORM = "grad_norm"
    THROUGHPUT = "throughput"
    OTHER = "other"


class Axis(StrEnum):
    """What the integer in `Points.steps` counts."""

    STEP = "step"
    """Optimizer steps (iterations, updates): the usual case."""
    EPOCH = "epoch"
    """Whole epochs: one point an epoch, as Keras and Ultralytics log."""
    ORDER = "order"
    """The source gives no step; points are numbered in the order they stand there."""
    TOKENS = "tokens"
    SAMPLES = "samples"
    TRIAL = "trial"
    ROUND = "round"
    """Boosting rounds."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a raw tag stands for, whatever framework spelled it.

    Attributes:
        key: Canonical name, the same for every spelling: `train/loss`, `eval/loss`,
            `learning_rate`, `grad_norm`, `epoch`, `eval/accuracy`, `train/tokens_per_second`.
            Two sources of one run that share a key report the same quantity.
        label: The same in words, for the screen: `eval accuracy`.
        split: Data it was measured on.
        kind: Sort of quantity.
        part: Empty for a total. For a loss component (`box`) or one of several eval sets
            (`easy`), its name.
        lower_is_better: None where neither direction is good.
        unit: Unit to print behind the value (`tok/s`), or empty.
        secondary: A running or epoch mean, or a repeat, of a series that is also logged raw:
            never the headline while the raw one exists.
        summary: A number about the whole run (HF's final `train_loss`): never a curve point.
        sum_of: Raw tags of the parts whose sum it is, where the run logs no total; else empty.
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
