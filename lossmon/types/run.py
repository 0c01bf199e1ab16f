"""A run and the snapshot of all runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.types.diagnosis import UNJUDGED, Diagnosis
from lossmon.types.hardware import HardwareReading, NodeReading
from lossmon.types.job import Job
from lossmon.types.points import Series, TextSample


class RunState(StrEnum):
    """What a run is doing."""

    WAITING = "waiting"
    """Nothing has been logged yet."""
    RUNNING = "running"
    STALLED = "stalled"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Best:
    """The eval minimum and where to find its weights.

    Attributes:
        step: Step of the lowest finite eval loss.
        eval_loss: That loss.
        checkpoint: Name of the newest checkpoint on disk at or before `step` that is not older
            than the previous eval, or None.
    """

    step: int
    eval_loss: float
    checkpoint: str | None = None


class AmbiguityReason(StrEnum):
    """Why it is not known what a series is."""

    CALLED_ALIKE = "called_alike"
    """Its name means the same as that of the series that is shown."""
    NO_TOTAL = "no_total"
    """It is one of several losses of which none is the total."""
    NO_LOSS = "no_loss"
    """No series of the run is known as a loss, and it may be one."""
    VAGUE = "vague"
    """Its name (`loss_2`, `score`) says of what sort it is, but not which one."""


@dataclass(frozen=True, slots=True)
class AmbiguousTag:
    """A series whose name does not say what it is, and what it may be.

    An answer is an entry of `[metrics]` in the settings: `train_loss = "<tag>"`.

    Attributes:
        tag: Raw name, as the source spells it; hostile as all text from logs.
        candidates: Canonical names that the settings know, the likeliest first; at least one.
        reason: Why it is ambiguous.
        shown: Tag of the series that is taken for `candidates[0]` meanwhile, empty if none is.
    """

    tag: str
    candidates: tuple[str, ...]
    reason: AmbiguityReason
    shown: str = ""


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """One run at one moment.

    Attributes:
        name: What the user calls it.
        path: Its own directory or file.
        sources: Format families that contributed, best first.
        state: What it is doing.
        state_reason: Why it is thought so ("step equals total", "CUDA out of memory"), or "".
        step: Newest step, None before the first.
        total_steps: Planned steps, or None.
        epoch: Newest epoch, or None.
        total_epochs: Planned epochs, or None.
        steps_per_second: Recent rate, None where unknown.
        remaining: Seconds to the end, None where unknown.
        last_time: Seconds since the Unix epoch of the newest sign of life, None where unknown.
        series: Every scalar of the run, headline losses first, then by label.
        train: Index into `series` of the headline train loss, None if there is none.
        eval: Index into `series` of the headline eval loss, None if there is none.
        diagnosis: What the engine says.
        best: Eval minimum, or None.
        checkpoints: Steps of the checkpoints on disk, ascending, with their names.
        restarts: Steps at which the run began again.
        log: Newest lines of the text log, oldest first.
        log_name: File they come from.
        settings: Hyperparameters, as text.
        samples: Texts that the run logged, of each prompt one a step, steps ascending; the same
            tuple while nothing came.
        errors: What could not be read: file, place, reason, consequence.
        notes: Words about the data that are not errors.
        ambiguous_tags: Series that the user could be asked about, those that matter most first.
        loaded: Share of the known bytes that were read, 0 to 1.
        size: Bytes of its files, those that are still to be read included.
        nodes: Hardware of the machines that train it, as recorded there, the one that needs
            attention most first.
        job: The scheduler's job that it belongs to, None where none is known.
    """

    name: str
    path: Path
    sources: tuple[str, ...] = ()
    state: RunState = RunState.WAITING
    state_reason: str = ""
    step: int | None = None
    total_steps: int | None = None
    epoch: float | None = None
    total_epochs: float | None = None
    steps_per_second: float | None = None
    remaining: float | None = None
    last_time: float | None = None
    series: tuple[Series, ...] = ()
    train: int | None = None
    eval: int | None = None
    diagnosis: Diagnosis = UNJUDGED
    best: Best | None = None
    checkpoints: tuple[tuple[int, str], ...] = ()
    restarts: tuple[int, ...] = ()
    log: tuple[str, ...] = ()
    log_name: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[TextSample, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ambiguous_tags: tuple[AmbiguousTag, ...] = ()
    loaded: float = 1.0
    size: int = 0
    nodes: tuple[NodeReading, ...] = ()
    job: Job | None = None

    @property
    def train_loss(self) -> Series | None:
        """The headline train loss."""
        return None if self.train is None else self.series[self.train]

    @property
    def eval_loss(self) -> Series | None:
        """The headline eval loss."""
        return None if self.eval is None else self.series[self.eval]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the screen and the reports show, at one moment.

    Attributes:
        time: Seconds since the Unix epoch at which it was taken.
        runs: One entry a run, in the order they were found.
        hardware: The machine.
        waiting_for: What the monitor waits for while there is no run ("metrics in ./output"),
            or empty.
        notes: Words about discovery ("polling: network file system").
        busy: More bytes are known and will be read at once.
    """

    time: float = 0.0
    runs: tuple[RunSnapshot, ...] = ()
    hardware: HardwareReading = field(default_factory=HardwareReading)
    waiting_for: str = ""
    notes: tuple[str, ...] = ()
    busy: bool = False
