"""The vocabulary: what flows from the files to the screen. Every part speaks it; it knows none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lossmon.frozen import dataclass

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


# --------------------------------------------------------------------------- what a tag means


class Split(StrEnum):
    """Which data a scalar was measured on. What is neither counts as train."""

    TRAIN = "train"
    EVAL = "eval"


Names = Mapping[str, str | tuple[str, ...]]
"""What the user says of names, as `[metrics]` in the settings holds it: canonical name or word
of `lossmon.readers.names.WORDS` → raw tag, or several."""


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


# --------------------------------------------------------------------------- readers → monitor


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


# --------------------------------------------------------------------------- diagnosis


class Severity(IntEnum):
    """How much a finding matters, worst last."""

    NEUTRAL = 0
    OK = 1
    NOTICE = 2
    WARNING = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The lower-case name that reports print."""
        return self.name.lower()


class Confidence(StrEnum):
    """How sure a finding is: three words, never a made-up percentage."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the curves show.

    Attributes:
        code: Stable name (`overfitting`), see the `check` contract.
        severity: How much it matters.
        since_step: Estimated onset: the step at which the condition began.
        confidence: How sure it is.
        facts: Numbers behind it, for the evidence sentence of the chosen language. Values are
            numbers or short words; keys are the placeholders of the advice files.
        variant: Which sentence of the advice file applies (`suspected`, `masked`), or empty.
    """

    code: str
    severity: Severity
    since_step: int
    confidence: Confidence
    facts: Mapping[str, float | int | str] = field(default_factory=dict)
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding in the words of one language.

    Attributes:
        word: What the badge shows: `OVERFITTING`.
        evidence: One line of numbers.
        means: What that means, plainly.
        remedies: What to try, most useful first.
        confused_with: What looks alike, and how to tell.
        changes: What would change the verdict.
    """

    word: str
    evidence: str
    means: str
    remedies: tuple[str, ...]
    confused_with: str = ""
    changes: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """The badge changed.

    Attributes:
        step: Step at which the new verdict was shown.
        code: Code of the new verdict.
        severity: Its severity.
    """

    step: int
    code: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the train loss is going, with an honest interval (absent where the fit is poor)."""

    final_loss: float
    low: float
    high: float
    flat_step: int | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the engine says of one run at this moment.

    Attributes:
        verdict: The badge.
        findings: All that is active, worst first; the verdict among them.
        history: Every verdict in the order it became the badge.
        missing: What cannot be judged and why ("no eval loss in this run: …"), as codes for
            the advice files.
        forecast: Extrapolated end of the curve, or None.
    """

    verdict: Finding
    findings: tuple[Finding, ...]
    history: tuple[Turn, ...]
    missing: tuple[str, ...] = ()
    forecast: Forecast | None = None


WARMING_UP = Finding("warming_up", Severity.NEUTRAL, 0, Confidence.HIGH)
"""What is known of a run that has logged nothing yet."""

UNJUDGED = Diagnosis(WARMING_UP, (WARMING_UP,), ())
"""What is said of a run while its files are read for the first time: nothing."""


# --------------------------------------------------------------------------- monitor → ui


class State(StrEnum):
    """What a run is doing."""

    WAITING = "waiting"
    """Nothing has been logged yet."""
    RUNNING = "running"
    STALLED = "stalled"
    FINISHED = "finished"
    FAILED = "failed"


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


class Doubt(StrEnum):
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
class Unclear:
    """A series whose name does not say what it is, and what it may be.

    An answer is an entry of `[metrics]` in the settings: `train_loss = "<tag>"`.

    Attributes:
        tag: Raw name, as the source spells it; hostile as all text from logs.
        may_be: Canonical names that the settings know, the likeliest first; at least one.
        doubt: Why it is unclear.
        shown: Tag of the series that is taken for `may_be[0]` meanwhile, empty if none is.
    """

    tag: str
    may_be: tuple[str, ...]
    doubt: Doubt
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
        unclear: Series that the user could be asked about, those that matter most first.
        loaded: Share of the known bytes that were read, 0 to 1.
        size: Bytes of its files, those that are still to be read included.
    """

    name: str
    path: Path
    sources: tuple[str, ...] = ()
    state: State = State.WAITING
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
    unclear: tuple[Unclear, ...] = ()
    loaded: float = 1.0
    size: int = 0

    @property
    def train_loss(self) -> Series | None:
        """The headline train loss."""
        return None if self.train is None else self.series[self.train]

    @property
    def eval_loss(self) -> Series | None:
        """The headline eval loss."""
        return None if self.eval is None else self.series[self.eval]


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a GPU.

    Attributes:
        pid: Process id, as NVML reports it.
        name: Executable name, or empty where it cannot be known.
        memory_used: Bytes, None where the driver does not say.
        own: It is part of the watched training (its working directory, an open file or an
            argument lies in the run).
    """

    pid: int
    name: str
    memory_used: int | None
    own: bool = False


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU at one moment. Every field that the driver does not support is None.

    Attributes:
        index: NVML index.
        name: Product name.
        utilization: Share of the sample period in which a kernel ran, 0 to 100.
        memory_used: Bytes.
        memory_total: Bytes.
        power: Watts.
        power_limit: Watts.
        temperature: Degrees Celsius.
        sm_clock: Hertz.
        throttle_reasons: Words for the active reasons that slow the GPU down; idle and
            application settings are not reasons.
        processes: Who holds its memory, largest first.
        lost: The GPU fell off the bus or stopped answering.
        utilization_history: Recent utilizations, 0 to 100, oldest first.
    """

    index: int
    name: str
    utilization: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    power: float | None = None
    power_limit: float | None = None
    temperature: float | None = None
    sm_clock: float | None = None
    throttle_reasons: tuple[str, ...] = ()
    processes: tuple[GpuProcess, ...] = ()
    lost: bool = False
    utilization_history: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class HostReading:
    """This machine at one moment.

    Attributes:
        name: Host name.
        cpu: Share of all cores in use, 0 to 100, None before the second sample.
        cpu_count: Logical cores that this process may use.
        memory_used: Bytes in use (total minus available), of the container where limited.
        memory_total: Bytes, of the container where limited.
        disk_free: Bytes free where the run writes, None where unknown.
        disk_total: Bytes there.
    """

    name: str
    cpu: float | None = None
    cpu_count: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    disk_free: int | None = None
    disk_total: int | None = None


@dataclass(frozen=True, slots=True)
class HardwareReading:
    """All of the hardware at one moment.

    Attributes:
        gpus: One reading a GPU, by NVML index; a lost one stays, marked.
        note: One calm line where there is nothing to show ("no NVIDIA driver on this machine"),
            or empty.
        host: This machine, None before the first sample.
    """

    gpus: tuple[GpuReading, ...] = ()
    note: str = ""
    host: HostReading | None = None


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
