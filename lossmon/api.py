"""Python API: runs as objects with numpy arrays, and the diagnosis of plain sequences."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossmon.diagnosis.advice import advise
from lossmon.monitor import UNLIMITED, Monitor, MonitorConfig
from lossmon.monitor.runs.diagnosis_feed import DiagnosisFeed
from lossmon.readers.tags.meaning import meaning
from lossmon.readers.values import is_step
from lossmon.reports.series_names import series_names
from lossmon.store import RunStore
from lossmon.types import (
    Advice,
    Best,
    Diagnosis,
    Facts,
    Finding,
    Floats,
    Ints,
    MetricNames,
    Points,
    RunSnapshot,
    Series,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

PathLike = str | os.PathLike[str]


class Run:
    """A training run at one moment. Its arrays never change."""

    def __init__(self, snapshot: RunSnapshot) -> None:
        self._snapshot = snapshot

    def __repr__(self) -> str:
        step = "no step" if self.step is None else f"step {self.step:,}"
        return f"<lossmon.Run {self.name!r} {self.state}, {step}, {self.verdict.code}>"

    @property
    def name(self) -> str:
        """Name of the run."""
        return self._snapshot.name

    @property
    def path(self) -> Path:
        """Its directory or file."""
        return self._snapshot.path

    @property
    def sources(self) -> tuple[str, ...]:
        """Formats that its points come from, best first: `tensorboard`, `hf_trainer`, `text`."""
        return self._snapshot.sources

    @property
    def state(self) -> str:
        """`waiting`, `running`, `stalled`, `finished` or `failed`."""
        return self._snapshot.state.value

    @property
    def state_reason(self) -> str:
        """Reason of the state in a few words, or empty."""
        return self._snapshot.state_reason

    @property
    def step(self) -> int | None:
        """Newest step, None before the first."""
        return self._snapshot.step

    @property
    def total_steps(self) -> int | None:
        """Planned steps, None where unknown."""
        return self._snapshot.total_steps

    @property
    def epoch(self) -> float | None:
        """Newest epoch, None where it is not logged."""
        return self._snapshot.epoch

    @property
    def series(self) -> dict[str, Series]:
        """Every scalar by its tag, the losses first: `run.series["eval/loss"].values`."""
        all_series = self._snapshot.series
        return dict(zip(series_names(all_series), all_series, strict=True))

    @property
    def train_loss(self) -> Series | None:
        """The headline train loss, None where there is none."""
        return self._snapshot.train_loss

    @property
    def eval_loss(self) -> Series | None:
        """The headline eval loss, None where there is none."""
        return self._snapshot.eval_loss

    @property
    def diagnosis(self) -> Diagnosis:
        """Verdict, findings, history of verdicts and forecast."""
        return self._snapshot.diagnosis

    @property
    def verdict(self) -> Finding:
        """The most important finding; `describe` puts it into words."""
        return self.diagnosis.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All active findings, worst first."""
        return self.diagnosis.findings

    @property
    def best(self) -> Best | None:
        """Step and value of the lowest eval loss and its checkpoint on disk, or None."""
        return self._snapshot.best

    @property
    def checkpoints(self) -> tuple[tuple[int, str], ...]:
        """Steps and names of the checkpoints on disk, ascending."""
        return self._snapshot.checkpoints

    @property
    def settings(self) -> dict[str, str]:
        """Hyperparameters, as text."""
        return dict(self._snapshot.settings)

    @property
    def errors(self) -> tuple[str, ...]:
        """Files that could not be read: which, where, why."""
        return self._snapshot.errors

    def to_dict(self, *, language: str = "en", points: bool = False) -> dict[str, Any]:
        """Return the JSON object of `lossmon check --json`.

        Args:
            language: Language of evidence and advice, `en` or `zh`.
            points: Add the points of each series.
        """
        from lossmon.reports.record import record

        return record(self._snapshot, language, points=points)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per point: series, split, kind, axis, step, wall_time, value.

        `frame.pivot(index="step", columns="series", values="value")` has a column per series.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: pip install pandas") from error
        return pd.DataFrame(_columns(self.series))


def read(
    path: PathLike | Sequence[PathLike],
    *,
    metrics: MetricNames | None = None,
    patterns: Mapping[str, str] | None = None,
    sensitivity: float = 1.0,
) -> list[Run]:
    """Read and judge all runs under a path, as `lossmon check` does.

    Args:
        path: Run directory, directory of runs or log file, or several of them.
        metrics: Names of metrics as in `[metrics]` of the settings: `{"train_loss": "my/loss"}`.
        patterns: Regular expressions for lines of text logs, as in `[patterns]`.
        sensitivity: Above 1 warns earlier and more often, below 1 later and less; 0.5 to 2.

    Returns:
        The runs that have metrics, with all of their points, and those that cannot be read.

    Raises:
        FileNotFoundError: The path does not exist.
    """
    config = MonitorConfig(metrics or {}, patterns or {}, _allowed(sensitivity), UNLIMITED)
    monitor = Monitor(_existing(path), config)
    snapshot = monitor.drain()
    monitor.load_settings(run.path for run in snapshot.runs)
    return _runs(monitor.poll().runs)


def follow(
    path: PathLike | Sequence[PathLike],
    timeout: float | None = None,
    *,
    metrics: MetricNames | None = None,
    patterns: Mapping[str, str] | None = None,
    sensitivity: float = 1.0,
) -> Iterator[Run]:
    """Follow all runs under a path and yield each run whenever it has changed.

    Args:
        path: As for `read`; need not exist yet.
        timeout: Seconds after which to stop, None for no limit.
        metrics: As for `read`.
        patterns: As for `read`.
        sensitivity: As for `read`.
    """
    from lossmon.monitor.follow import Follower

    config = MonitorConfig(metrics or {}, patterns or {}, _allowed(sensitivity))
    known: dict[Path, RunSnapshot] = {}
    for snapshot in Follower(_paths(path), config).snapshots(timeout):
        changed = [run for run in snapshot.runs if known.get(run.path) is not run]
        known.update((run.path, run) for run in changed)
        yield from _runs(changed)


def diagnose(
    steps: ArrayLike,
    losses: ArrayLike,
    eval_steps: ArrayLike | None = None,
    eval_losses: ArrayLike | None = None,
    *,
    metrics: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    total_steps: int | None = None,
    sensitivity: float = 1.0,
) -> Diagnosis:
    """Judge the curves of a run. Where steps go back, the run restarted.

    Args:
        steps: Steps of the train loss.
        losses: Train loss; NaN and infinities are what is looked for.
        eval_steps: Steps of the eval loss.
        eval_losses: Eval loss.
        metrics: Steps and values of further series by tag: `{"grad_norm": (steps, norms)}`.
        total_steps: Planned steps, None where unknown.
        sensitivity: Above 1 warns earlier and more often, below 1 later and less; 0.5 to 2.

    Raises:
        ValueError: Steps and values do not match or are not numbers, or a step is not a whole
            number from 0 on.
    """
    if (eval_steps is None) != (eval_losses is None):
        raise ValueError("eval_steps and eval_losses belong together")
    curves: dict[str, tuple[ArrayLike, ArrayLike]] = {"train/loss": (steps, losses)}
    if eval_steps is not None and eval_losses is not None:
        curves["eval/loss"] = (eval_steps, eval_losses)
    curves.update(metrics or {})
    store = RunStore(UNLIMITED)
    for number, (tag, (at, values)) in enumerate(curves.items()):
        store.add(number, tag, 0, "", _points(tag, at, values), meaning(tag))
    feed = DiagnosisFeed(store, _allowed(sensitivity))
    feed.update(Facts(total_steps=total_steps), math.inf)
    return feed.diagnosis()


def describe(finding: Finding, language: str = "en") -> Advice:
    """Put a finding into words: evidence, meaning and remedies.

    Args:
        finding: For example the `verdict` of a run or of a diagnosis.
        language: `en` or `zh`.
    """
    return advise(finding, language)


def _paths(path: PathLike | Sequence[PathLike]) -> list[Path]:
    try:
        several = [path] if isinstance(path, (str, os.PathLike)) else path
        return [Path(one) for one in several]
    except TypeError as error:
        kind = type(path).__name__
        raise TypeError(f"path must be a path or a sequence of paths, not {kind}") from error


def _allowed(sensitivity: float) -> float:
    if not 0.5 <= sensitivity <= 2:
        raise ValueError(f"sensitivity must be from 0.5 to 2, not {sensitivity}")
    return sensitivity


def _existing(path: PathLike | Sequence[PathLike]) -> list[Path]:
    paths = _paths(path)
    for one in paths:
        if not one.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(one))
    return paths


def _runs(snapshots: Sequence[RunSnapshot]) -> list[Run]:
    return [Run(snapshot) for snapshot in snapshots if snapshot.series or snapshot.errors]


def _points(tag: str, steps: ArrayLike, values: ArrayLike) -> Points:
    given, found = _numbers(f"{tag}: steps", steps), _numbers(f"{tag}: values", values)
    if len(given) != len(found):
        raise ValueError(f"{tag}: {len(given)} steps, but {len(found)} values")
    if not all(step.is_integer() and is_step(step) for step in given.tolist()):
        raise ValueError(f"{tag}: steps must be whole numbers from 0 on")
    whole: Ints = given.astype(np.int64)
    times: Floats = np.full(len(whole), np.nan)
    return Points(tag, whole, times, found, np.arange(len(whole), dtype=np.int64))


def _numbers(name: str, given: ArrayLike) -> Floats:
    try:
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from error
    if numbers.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not the shape {numbers.shape}")
    return numbers


def _columns(series: Mapping[str, Series]) -> dict[str, Any]:
    counts = [len(one) for one in series.values()]

    def repeated(texts: Sequence[str]) -> Any:
        return np.repeat(np.array(texts, dtype=object), counts)

    def joined(parts: Sequence[Any], kind: type) -> Any:
        return np.concatenate(parts) if parts else np.empty(0, kind)

    every = list(series.values())
    return {
        "series": repeated(list(series)),
        "split": repeated([one.meaning.split.value for one in every]),
        "kind": repeated([one.meaning.kind.value for one in every]),
        "axis": repeated([one.axis.value for one in every]),
        "step": joined([one.steps for one in every], np.int64),
        "wall_time": joined([one.wall_times for one in every], np.float64),
        "value": joined([one.values for one in every], np.float64),
    }
