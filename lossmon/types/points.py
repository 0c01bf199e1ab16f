"""Tags and their meanings; points, facts and texts that readers return; the series of the store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.types.media import LoggedMedia


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


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Points:
    """Scalars of one tag in logged order, as columns of one length.

    Attributes:
        tag: Name of the series in the spelling of the source (`train/loss`).
        steps: int64, 0 or more. A restart makes them go back.
        wall_times: float64, seconds since the Unix epoch; NaN where the source has no clock.
        values: float64, NaN and infinities included.
        order: int64, position of the record, strictly increasing within one source: restores the
            logged order of points of different tags.
        axis: What `steps` counts.
    """

    tag: str
    steps: Ints
    wall_times: Floats
    values: Floats
    order: Ints
    axis: Axis = Axis.STEP

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart of the run from an earlier step.

    Attributes:
        step: First step that is logged again; older points at or beyond it are void.
        order: Position in the source, comparable with `Points.order`.
    """

    step: int
    order: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that a source states about the run as a whole; None where it does not.

    Attributes:
        name: The user's name of the run.
        step: Newest step, which may lie behind that of the newest point.
        save_interval: Steps between two writes of the source, where they are many.
        total_steps: Planned optimizer steps.
        total_epochs: Planned epochs.
        remaining: Seconds left, as the framework estimates them.
        finished: The run ended normally.
        failure: Why the run failed, in one line.
        ending: The source's word for an early normal end (`pruned`).
        started: Seconds since the Unix epoch.
        trials: Trials of a study: `trials` in all, `pruned` and `failed` of them.
        trial_ends: Trials of a study that have ended, by their identifiers: why each failed, or an
            empty text.
        sweep: Identifier of the sweep that the run is a trial of.
        best_step: Step that the framework calls best.
        best_checkpoint: Name of the checkpoint that the framework calls best.
        settings: Hyperparameters and configuration, as text.
    """

    name: str | None = None
    step: int | None = None
    save_interval: int | None = None
    total_steps: int | None = None
    total_epochs: float | None = None
    remaining: float | None = None
    finished: bool | None = None
    failure: str | None = None
    ending: str | None = None
    started: float | None = None
    trials: Mapping[str, int] | None = None
    trial_ends: Mapping[str, str] | None = None
    sweep: str | None = None
    best_step: int | None = None
    best_checkpoint: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextSample:
    """Text that the run logged, usually an output of the model.

    Attributes:
        tag: Name under which it was logged.
        step: Step at which it was logged, None where unknown.
        output: Output of the model; the whole text where its parts are not known.
        prompt: Prompt, or empty.
        expected: Expected output, or empty.
    """

    tag: str
    step: int | None
    output: str
    prompt: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Result of one call of `Reader.read`.

    Attributes:
        points: Columns per tag; a tag may occur more than once, oldest first.
        restarts: Explicit restarts, without those that steps going back show.
        facts: New facts about the run as a whole, oldest first.
        lines: Completed lines of a text log, oldest first, without control characters.
            Of a progress bar that redraws itself only the newest state.
        samples: Texts that the run logged.
        media: Histograms, curves and images that it logged, oldest first.
        notes: Notes that are not errors ("2 bad records skipped at byte 81,920").
        replaced: The file was truncated, rotated or rewritten: everything that this reader
            returned before is void and follows again.
        pending: Bytes known to be unread; above 0 the caller should read on at once.
    """

    points: tuple[Points, ...] = ()
    restarts: tuple[Restart, ...] = ()
    facts: tuple[Facts, ...] = ()
    lines: tuple[str, ...] = ()
    samples: tuple[TextSample, ...] = ()
    media: tuple[LoggedMedia, ...] = ()
    notes: tuple[str, ...] = ()
    replaced: bool = False
    pending: int = 0


class Reader(Protocol):
    """Incremental reader of one growing file. Holds no open file between calls.

    Attributes:
        path: The file.
        source: Name of the format family: `tensorboard`, `hf_trainer`,
            `llamafactory`, `lightning`, `csv`, `jsonl`, `text`, ...
    """

    @property
    def path(self) -> Path: ...

    @property
    def source(self) -> str: ...

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call.

        Stops at an incomplete record; the next call resumes there. A file that does not exist
        gives an empty batch.

        Args:
            deadline: `time.monotonic()` value after which to return with what is there; each call
                reads at least one chunk.

        Raises:
            ReadError: The file is corrupt from here on; earlier batches stay valid.
        """
        ...


def _empty_ints() -> Ints:
    return np.empty(0, np.int64)


def _empty_floats() -> Floats:
    return np.empty(0, np.float64)


@dataclass(frozen=True, slots=True)
class Series:
    """One scalar of one run: columns of one length, steps not decreasing.

    The arrays never change. Above a memory budget, old points are thinned to minimum and maximum
    per bucket; the statistics below are of all points.

    Attributes:
        tag: Raw name in the leading source.
        meaning: Meaning of the tag.
        source: Format family of the leading source.
        axis: What `steps` counts.
        steps: int64.
        values: float64, NaN and infinities included.
        wall_times: float64, seconds since the Unix epoch, NaN where unknown.
        n: Points logged, thinned ones included, those that a restart made void not.
        n_nonfinite: How many of them are NaN or infinite.
        first_step: Step of the first point.
        last_step: Step of the newest point.
        last: Newest value.
        minimum: Smallest finite value, NaN if there is none.
        min_step: Its step.
        maximum: Largest finite value, NaN if there is none.
        max_step: Its step.
        ghost_steps: Steps of points that a restart made void, oldest first.
        ghost_values: Their values.
    """

    tag: str
    meaning: Meaning
    source: str = ""
    axis: Axis = Axis.STEP
    steps: Ints = field(default_factory=_empty_ints)
    values: Floats = field(default_factory=_empty_floats)
    wall_times: Floats = field(default_factory=_empty_floats)
    n: int = 0
    n_nonfinite: int = 0
    first_step: int = 0
    last_step: int = 0
    last: float = math.nan
    minimum: float = math.nan
    min_step: int = 0
    maximum: float = math.nan
    max_step: int = 0
    ghost_steps: Ints = field(default_factory=_empty_ints)
    ghost_values: Floats = field(default_factory=_empty_floats)

    def __len__(self) -> int:
        return len(self.steps)

    @classmethod
    def of_points(
        cls,
        tag: str,
        meaning: Meaning,
        source: str,
        steps: Ints,
        values: Floats,
        wall_times: Floats,
        axis: Axis = Axis.STEP,
    ) -> Series:
        """Make a series of all its points, at least one, and their statistics."""
        finite = np.isfinite(values)
        known, places = values[finite], steps[finite]
        low, high = (int(known.argmin()), int(known.argmax())) if len(known) else (0, 0)
        return cls(
            tag,
            meaning,
            source,
            axis,
            steps,
            values,
            wall_times,
            n=len(steps),
            n_nonfinite=len(values) - len(known),
            first_step=int(steps[0]),
            last_step=int(steps[-1]),
            last=float(values[-1]),
            minimum=float(known[low]) if len(known) else math.nan,
            min_step=int(places[low]) if len(known) else 0,
            maximum=float(known[high]) if len(known) else math.nan,
            max_step=int(places[high]) if len(known) else 0,
        )
