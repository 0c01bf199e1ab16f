"""Metrics of runs in the OpenMetrics text format: one mapping for `check` and for exporters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from lossmon.diagnosis.advice import codes
from lossmon.fast_dataclass import dataclass
from lossmon.sanitize import cells
from lossmon.types import RunSnapshot, RunState, Severity

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a family.

    Attributes:
        labels: Label values by name; text from outside, not yet escaped.
        value: May be NaN or infinite.
    """

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its samples.

    Attributes:
        name: Name without a suffix that the format adds (`_info`).
        kind: `gauge`, `info` or `stateset`. The label of a state set that holds the state has
            the name of the family.
        unit: Unit in which the name ends, or empty.
        meaning: One line for people.
        samples: In the order of the runs.
    """

    name: str
    kind: str
    unit: str
    meaning: str
    samples: tuple[Sample, ...]


def families(runs: Sequence[RunSnapshot]) -> tuple[Family, ...]:
    """Describe runs as metrics; a value that is not known has no sample.

    Every sample has the labels `run` (its name) and `path` (unique).
    """
    gauges = [
        Family(name, "gauge", unit, meaning, tuple(_gauge(runs, value)))
        for name, unit, meaning, value in GAUGES
    ]
    sets = [
        Family(name, "stateset", "", meaning, tuple(_states(runs, name, states(), current)))
        for name, meaning, states, current in STATE_SETS
    ]
    info = Family("lossmon_run", "info", "", "What a run is", tuple(map(_info, runs)))
    findings = Family(
        "lossmon_finding",
        "gauge",
        "",
        "1 for each finding that holds now, the verdict among them",
        tuple(sample for run in runs for sample in _findings(run)),
    )
    return (info, *gauges, *sets, findings)


def render(runs: Sequence[RunSnapshot]) -> str:
    """Write runs as one OpenMetrics exposition, its `# EOF` included."""
    return exposition(families(runs))


def exposition(described: Iterable[Family]) -> str:
    """Write families as one OpenMetrics exposition, its `# EOF` included."""
    return "\n".join([*(line for one in described for line in _lines(one)), "# EOF"])


def labels_of(run: RunSnapshot) -> dict[str, str]:
    """The labels that every sample of a run has."""
    return {"run": run.name, "path": str(run.path)}


Value = Callable[[RunSnapshot], float | None]

GAUGES: tuple[tuple[str, str, str, Value], ...] = (
    ("lossmon_train_loss", "", "Newest train loss", lambda run: _last(run, "train")),
    ("lossmon_eval_loss", "", "Newest eval loss", lambda run: _last(run, "eval")),
    (
        "lossmon_best_eval_loss",
        "",
        "Lowest eval loss",
        lambda run: run.best.eval_loss if run.best else None,
    ),
    (
        "lossmon_best_step",
        "",
        "Step of the lowest eval loss",
        lambda run: run.best.step if run.best else None,
    ),
    ("lossmon_step", "", "Newest step", lambda run: run.step),
    ("lossmon_total_steps", "", "Planned steps", lambda run: run.total_steps),
    ("lossmon_epoch", "", "Newest epoch", lambda run: run.epoch),
    ("lossmon_steps_per_second", "", "Recent rate", lambda run: run.steps_per_second),
    ("lossmon_remaining_seconds", "seconds", "Time to the end", lambda run: run.remaining),
    (
        "lossmon_last_update_timestamp_seconds",
        "seconds",
        "Newest sign of life, as Unix time; the age is time() minus this",
        lambda run: run.last_time,
    ),
    (
        "lossmon_verdict_severity",
        "",
        ", ".join(f"{severity.value} {severity.word}" for severity in Severity),
        lambda run: run.diagnosis.verdict.severity.value,
    ),
    (
        "lossmon_verdict_since_step",
        "",
        "Step at which the condition of the verdict began",
        lambda run: run.diagnosis.verdict.since_step,
    ),
    ("lossmon_errors", "", "Files that could not be read", lambda run: len(run.errors)),
)
"""Name, unit, meaning and value of everything that is a plain number."""

STATE_SETS: tuple[
    tuple[str, str, Callable[[], Sequence[str]], Callable[[RunSnapshot], str]], ...
] = (
    (
        "lossmon_state",
        "What a run is doing",
        lambda: [state.value for state in RunState],
        lambda run: run.state.value,
    ),
    (
        "lossmon_verdict",
        "What the curves show",
        codes,
        lambda run: run.diagnosis.verdict.code,
    ),
)
"""Name, meaning, all states and the present one of everything that is one of several words."""


def _gauge(runs: Sequence[RunSnapshot], value: Value) -> Iterable[Sample]:
    for run in runs:
        if (number := value(run)) is not None:
            yield Sample(labels_of(run), float(number))


def _states(
    runs: Sequence[RunSnapshot],
    name: str,
    states: Sequence[str],
    current: Callable[[RunSnapshot], str],
) -> Iterable[Sample]:
    for run in runs:
        for state in states:
            yield Sample({**labels_of(run), name: state}, float(state == current(run)))


def _info(run: RunSnapshot) -> Sample:
    return Sample({**labels_of(run), "sources": ",".join(run.sources)}, 1.0)


def _findings(run: RunSnapshot) -> Iterable[Sample]:
    named = {finding.code: finding for finding in reversed(run.diagnosis.findings)}
    for code, finding in sorted(named.items()):
        labels = {
            "code": code,
            "severity": finding.severity.word,
            "confidence": finding.confidence.value,
            "is_verdict": str(code == run.diagnosis.verdict.code).lower(),
        }
        yield Sample({**labels_of(run), **labels}, 1.0)


def _last(run: RunSnapshot, which: str) -> float | None:
    series = run.train_loss if which == "train" else run.eval_loss
    return series.last if series is not None and series.n else None


def _lines(family: Family) -> Iterable[str]:
    if not family.samples:
        return
    yield f"# TYPE {family.name} {family.kind}"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}"
    yield f"# HELP {family.name} {_escaped(family.meaning)}"
    suffix = "_info" if family.kind == "info" else ""
    for sample in family.samples:
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels.items())
        yield f"{family.name}{suffix}{{{labels}}} {_number(sample.value)}"


def _escaped(text: str) -> str:
    # A file name that is not UTF-8 would make the whole exposition unreadable.
    return cells(text).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.17g}" if value != int(value) or abs(value) >= 1e15 else str(int(value))
