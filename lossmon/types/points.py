"""Points, from the readers to the store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.types.tags import Axis, Meaning

Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Points:
    """Scalars of one tag, in the order they were logged, as columns of one length.

    Attributes:
        tag: Name of the series, as the source spells it (`train/loss`).
        steps: int64, 0 or more. A restarted run may rewind it.
        wall_times: float64, seconds since the Unix epoch; NaN where the source has no clock.
        values: float64. May be NaN or infinite: that is what we watch for.
        order: int64, strictly increasing within one source over its whole life: the position
            of the record, so that points of different tags can be put back in the order they
            were logged.
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
    """The run began again from an earlier step.

    Attributes:
        step: First step that will be logged again; older points at or beyond it are void.
        order: Position in the source, comparable with `Points.order`.
    """

    step: int
    order: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source says about the run as a whole. None means it says nothing of it.

    Attributes:
        name: What the user calls the run.
        total_steps: Optimizer steps planned.
        total_epochs: Epochs planned.
        remaining: Seconds left, as the framework estimates them.
        finished: The source says that the run ended well.
        failure: The source says that the run ended badly, and why, in one line.
        ending: The source's own word for a good end that came early (`pruned`).
        started: Seconds since the Unix epoch.
        best_checkpoint: Name of the checkpoint the framework itself calls best.
        settings: Hyperparameters and configuration, as text.
    """

    name: str | None = None
    total_steps: int | None = None
    total_epochs: float | None = None
    remaining: float | None = None
    finished: bool | None = None
    failure: str | None = None
    ending: str | None = None
    started: float | None = None
    best_checkpoint: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextSample:
    """A text that the run logged: an answer of the model, usually.

    Attributes:
        tag: Name under which it was logged.
        step: Where in the run it was written, None where the source does not say.
        output: What the model wrote; the whole text where its parts are not known.
        prompt: What it was asked, or empty.
        expected: What it should have written, or empty.
    """

    tag: str
    step: int | None
    output: str
    prompt: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call of `Reader.read` found.

    Attributes:
        points: Columns per tag; a tag may come more than once, oldest first.
        restarts: Explicit restarts (not those that steps going back already tell).
        facts: What is new about the run as a whole, oldest first.
        lines: Completed lines of a text log, oldest first, free of control characters.
            A progress bar that redraws itself gives its newest state only.
        samples: Texts that the run logged.
        notes: Things worth a word that did not stop the reader ("2 bad records skipped at
            byte 81,920").
        replaced: The file began anew (truncated, rotated, rewritten): all that this reader
            gave before is void and follows again.
        pending: Bytes known to be unread; above 0 the caller should come back at once.
    """

    points: tuple[Points, ...] = ()
    restarts: tuple[Restart, ...] = ()
    facts: tuple[Facts, ...] = ()
    lines: tuple[str, ...] = ()
    samples: tuple[TextSample, ...] = ()
    notes: tuple[str, ...] = ()
    replaced: bool = False
    pending: int = 0


class Reader(Protocol):
    """Reads one growing file, a little further at each call. Holds no open file between calls.

    Attributes:
        path: The file.
        source: Name of the format family for the header: `tensorboard`, `hf_trainer`,
            `llamafactory`, `lightning`, `csv`, `jsonl`, `text`, ...
    """

    @property
    def path(self) -> Path: ...

    @property
    def source(self) -> str: ...

    def read(self, deadline: float) -> Batch:
        """Return what was written since the last call.

        Stops quietly at a half-written record; the next call resumes there. A file that does
        not exist (yet, or any more) gives an empty batch.

        Args:
            deadline: `time.monotonic()` value after which to return with what is there; at
                least one chunk is always read, so that calls make progress.

        Raises:
            ReadError: The file is corrupt from here on; what was given before stays valid.
        """
        ...


def _empty_ints() -> Ints:
    return np.empty(0, np.int64)


def _empty_floats() -> Floats:
    return np.empty(0, np.float64)


@dataclass(frozen=True, slots=True)
class Series:
    """One tag of one run as the store holds it: columns of one length, steps not decreasing.

    The arrays are views that never change once handed out. Under memory pressure old points
    are thinned to minimum and maximum per bucket; the statistics below are of all points.

    Attributes:
        tag: Raw name in the winning source.
        meaning: What it stands for.
        source: Name of the winning source.
        axis: What `steps` counts.
        steps: int64.
        values: float64, NaN and infinities included.
        wall_times: float64, seconds since the Unix epoch, NaN where unknown.
        n: Points logged (before thinning, superseded ones not counted).
        n_nonfinite: How many of them are NaN or infinite.
        first_step: Step of the first point.
        last_step: Step of the newest point.
        last: Newest value.
        minimum: Smallest finite value, NaN if there is none.
        min_step: Where it is.
        maximum: Largest finite value, NaN if there is none.
        max_step: Where it is.
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
