"""Snapshots of one run and of all runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.types.diagnosis import UNJUDGED, Diagnosis
from lossmon.types.hardware import HardwareReading, Job, NodeReading
from lossmon.types.media import MediaSeries
from lossmon.types.points import Series, TextSample


class RunState(StrEnum):
    """State of a run."""

    WAITING = "waiting"
    """Nothing has been logged yet."""
    RUNNING = "running"
    STALLED = "stalled"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, well or not; a stalled one may go on."""
        return self in (RunState.FINISHED, RunState.FAILED)


@dataclass(frozen=True, slots=True)
class Best:
    """The lowest eval loss and its checkpoint.

    Attributes:
        step: Step of the lowest finite eval loss.
        eval_loss: The loss.
        checkpoint: Name of the newest checkpoint on disk at or before `step` that is not older
            than the previous eval, or None.
    """

    step: int
    eval_loss: float
    checkpoint: str | None = None


class AmbiguityReason(StrEnum):
    """Why the tag of a series is ambiguous."""

    CALLED_ALIKE = "called_alike"
    """It has the same meaning as the tag of the series that is shown."""
    NO_TOTAL = "no_total"
    """It is one of several losses without a total."""
    NO_LOSS = "no_loss"
    """No series of the run is recognised as a loss, and it may be one."""
    VAGUE = "vague"
    """It says what kind the series is, but not which one (`loss_2`, `score`)."""


@dataclass(frozen=True, slots=True)
class AmbiguousTag:
    """A series whose tag does not say what it is, and what it may be.

    The user resolves it by an entry of `[metrics]` in the settings: `train_loss = "<tag>"`.

    Attributes:
        tag: Raw name; untrusted as all text from logs.
        candidates: Canonical names of the settings, the likeliest first; at least one.
        reason: Why it is ambiguous.
        shown: Tag of the series that is shown as `candidates[0]` meanwhile, empty if none is.
    """

    tag: str
    candidates: tuple[str, ...]
    reason: AmbiguityReason
    shown: str = ""


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """One run at one moment.

    Attributes:
        name: Name of the run.
        path: Its own directory or file.
        sources: Format families that contributed, best first.
        state: State.
        state_reason: Reason of the state ("last step reached", "CUDA out of memory"), or empty.
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
        diagnosis: Verdict and findings.
        best: Lowest eval loss, or None.
        checkpoints: Steps of the checkpoints on disk, ascending, with their names.
        restarts: Steps from which the run restarted.
        log: Newest lines of the text log, oldest first.
        log_name: Name of that log.
        settings: Hyperparameters, as text.
        samples: Texts that the run logged, one per prompt and step, steps ascending; the same
            tuple until one is added.
        media: Histograms, curves and images that it logged, by kind and name; the same tuple
            until one is added.
        errors: What could not be read: file, place, reason, consequence.
        notes: Notes on the data that are not errors.
        ambiguous_tags: Series that the user can be asked about, the most important first.
        loaded: Share of the known bytes that were read, 0 to 1.
        size: Bytes of its files, unread ones included.
        nodes: Hardware of the machines that train it, as recorded there, the one that needs
            attention most first.
        job: The scheduler's job that it belongs to, None where none is known.
        trial_ends: Of a study, see `Facts.trial_ends`.
        sweep: Identifier of the sweep that it is a trial of, or empty.
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
    media: tuple[MediaSeries, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ambiguous_tags: tuple[AmbiguousTag, ...] = ()
    loaded: float = 1.0
    size: int = 0
    nodes: tuple[NodeReading, ...] = ()
    job: Job | None = None
    trial_ends: Mapping[str, str] = field(default_factory=dict)
    sweep: str = ""

    @property
    def steps_done(self) -> int | None:
        """Its step as a count: once it has finished, all that were planned where its last step is
        one less, as steps that are counted from 0 end."""
        if self.state is RunState.FINISHED and self.step is not None:
            return self.step + (self.step + 1 == self.total_steps)
        return self.step

    @property
    def train_loss(self) -> Series | None:
        """The headline train loss."""
        return None if self.train is None else self.series[self.train]

    @property
    def eval_loss(self) -> Series | None:
        """The headline eval loss."""
        return None if self.eval is None else self.series[self.eval]


EMPTY = " (empty)"
"""Stands behind the name of an empty file."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the screen and the reports show, at one moment.

    Attributes:
        time: Seconds since the Unix epoch at which it was taken.
        runs: One entry per run, in the order in which they were found.
        hardware: Hardware readings.
        waiting_for: Paths that the monitor waits for while there is no run, or empty.
        notes: Notes on discovery ("polling: network file system").
        seen_files: Files seen while there is no run.
        unread_files: Names of some of them; none is in a known format. `EMPTY` ends that of an
            empty one.
        busy: More bytes are known and will be read at once.
        read: How many runs were read to their ends once, and of how many; None while more runs
            may be found.
    """

    time: float = 0.0
    runs: tuple[RunSnapshot, ...] = ()
    hardware: HardwareReading = field(default_factory=HardwareReading)
    waiting_for: str = ""
    notes: tuple[str, ...] = ()
    seen_files: int = 0
    unread_files: tuple[str, ...] = ()
    busy: bool = False
    read: tuple[int, int] | None = None
