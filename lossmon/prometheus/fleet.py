"""All runs that a Prometheus server knows, each as one row of a fleet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from pathlib import Path

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.prometheus.client import Element, PrometheusClient
from lossmon.readers.tags.meaning import meaning
from lossmon.sanitize import one_line
from lossmon.types import (
    WARMING_UP,
    Best,
    Confidence,
    Diagnosis,
    Finding,
    Job,
    JobState,
    Meaning,
    RunSnapshot,
    RunState,
    Series,
    Severity,
    VerdictChange,
)

Key = tuple[str, str]
"""Instance and path of a run: together they identify it."""

SOURCE = "prometheus"

FIRST = (
    "lossmon_state == 1",
    "lossmon_finding",
    '{__name__=~"lossmon_(step|train_loss)"}',
)
"""What the first frame needs. The verdict is that of the findings: its state set has a series per
verdict that there is, which takes a server long to go through."""

REST = (
    '{__name__=~"lossmon_(total_steps|eval_loss|best_eval_loss|best_step|epoch|steps_per_second)"}',
    '{__name__=~"lossmon_(remaining|last_update_timestamp|job_limit_timestamp)_seconds"}',
    '{__name__=~"lossmon_(run|job)_info|lossmon_verdict_since_step"}',
)
"""What every later one shows too."""

AT_ONCE = 3
"""Queries that are asked at once."""

_SEVERITIES = {severity.word: severity for severity in Severity}
_CONFIDENCES = {confidence.value: confidence for confidence in Confidence}
_STATES = {state.value: state for state in RunState}
_JOB_STATES = {state.value: state for state in JobState}

TRAIN = meaning("train/loss")
EVAL = meaning("eval/loss")


@dataclass(slots=True)
class ServerRow:
    """What the server says of one run now.

    Attributes:
        run: Name that its exporter gave it.
        values: Newest value by metric name.
        state: Word of its state.
        verdict: Code of its verdict.
        findings: Severity and confidence by code.
        sources: Format families, as its exporter lists them.
        job: Labels of its job.
    """

    run: str
    values: dict[str, float] = field(default_factory=dict)
    state: str = ""
    verdict: str = ""
    findings: dict[str, tuple[str, str]] = field(default_factory=dict)
    sources: str = ""
    job: Mapping[str, str] = field(default_factory=dict)


def read_rows(client: PrometheusClient, queries: Iterable[str]) -> dict[Key, ServerRow]:
    """Ask for all runs.

    Args:
        queries: `FIRST`, or that and `REST`.

    Raises:
        PrometheusError: The server does not answer.
    """
    rows: dict[Key, ServerRow] = {}
    with ThreadPoolExecutor(AT_ONCE, "Prometheus") as pool:
        answers = [pool.submit(client.query, query) for query in queries]
    for answer in answers:
        for element in answer.result():
            labels = element.labels
            key = (labels.get("instance", ""), labels.get("path", ""))
            row = rows.get(key)
            if row is None:
                row = rows[key] = ServerRow(labels.get("run", ""))
            _put(row, labels, element)
    return rows


def _put(row: ServerRow, labels: Mapping[str, str], element: Element) -> None:
    name = labels["__name__"]
    put = _SPECIAL.get(name)
    if put is None:
        row.values[name] = element.value
    else:
        put(row, labels)


def _put_finding(row: ServerRow, labels: Mapping[str, str]) -> None:
    code = labels.get("code", "")
    row.findings[code] = (labels.get("severity", ""), labels.get("confidence", ""))
    if labels.get("is_verdict") == "true":
        row.verdict = code


def _put_state(row: ServerRow, labels: Mapping[str, str]) -> None:
    row.state = labels.get("lossmon_state", "")


def _put_sources(row: ServerRow, labels: Mapping[str, str]) -> None:
    row.sources = labels.get("sources", "")


def _put_job(row: ServerRow, labels: Mapping[str, str]) -> None:
    row.job = labels


_SPECIAL: Mapping[str, Callable[[ServerRow, Mapping[str, str]], None]] = {
    "lossmon_finding": _put_finding,
    "lossmon_state": _put_state,
    "lossmon_run_info": _put_sources,
    "lossmon_job_info": _put_job,
}
"""Families whose labels say more than their values."""


class FleetSnapshots:
    """Turns rows into snapshots of runs; a row that is as before keeps its object."""

    def __init__(self) -> None:
        self._known: dict[Key, tuple[ServerRow, str, RunSnapshot]] = {}

    def of(self, rows: Mapping[Key, ServerRow]) -> dict[Key, RunSnapshot]:
        """The runs in the order of their hosts and names."""
        counts = Counter(row.run for row in rows.values())
        known: dict[Key, tuple[ServerRow, str, RunSnapshot]] = {}
        for key, row in sorted(rows.items()):
            name = row.run if counts[row.run] == 1 else f"{host_of(key[0])}/{row.run}"
            before = self._known.get(key)
            if before is not None and before[1] == name and _is_same(before[0], row):
                known[key] = before
            else:
                known[key] = (row, name, _snapshot(key, row, name))
        self._known = known
        return {key: made for key, (_, _, made) in known.items()}


def host_of(instance: str) -> str:
    """The host of an instance: `gpu01` of `gpu01:9712`."""
    host, _, port = instance.rpartition(":")
    return host.strip("[]") if port.isdecimal() and host else instance


def _is_same(one: ServerRow, other: ServerRow) -> bool:
    """Whether two rows say the same; NaN equals NaN here."""
    return (
        one.state == other.state
        and one.verdict == other.verdict
        and one.findings == other.findings
        and one.job == other.job
        and one.sources == other.sources
        and one.values.keys() == other.values.keys()
        and all(
            value == other.values[name]
            or (value != value and other.values[name] != other.values[name])
            for name, value in one.values.items()
        )
    )


def _snapshot(key: Key, row: ServerRow, name: str) -> RunSnapshot:
    values = row.values
    step = _whole(values.get("lossmon_step"))
    train, eval_ = _train(row, step), _eval(row, step)
    series = tuple(one for one in (train, eval_) if one is not None)
    sources = tuple(word for word in row.sources.split(",") if word)
    return RunSnapshot(
        name=one_line(name),
        path=Path(f"{key[0]}{one_line(key[1])}"),
        sources=sources or (SOURCE,),
        state=_STATES.get(row.state, RunState.WAITING),
        step=step,
        total_steps=_whole(values.get("lossmon_total_steps")),
        epoch=values.get("lossmon_epoch"),
        steps_per_second=values.get("lossmon_steps_per_second"),
        remaining=values.get("lossmon_remaining_seconds"),
        last_time=values.get("lossmon_last_update_timestamp_seconds"),
        series=series,
        train=0 if train is not None else None,
        eval=len(series) - 1 if eval_ is not None else None,
        diagnosis=_diagnosis(row),
        best=_best(row),
        job=_job(row),
    )


def _train(row: ServerRow, step: int | None) -> Series | None:
    value = row.values.get("lossmon_train_loss")
    return None if value is None else one_point("train/loss", TRAIN, step or 0, value)


def _eval(row: ServerRow, step: int | None) -> Series | None:
    value = row.values.get("lossmon_eval_loss")
    if value is None:
        return None
    best = row.values.get("lossmon_best_eval_loss")
    at = _whole(row.values.get("lossmon_best_step"))
    series = one_point("eval/loss", EVAL, step or 0, value)
    return series if best is None or at is None else replace(series, minimum=best, min_step=at)


def one_point(tag: str, what: Meaning, step: int, value: float) -> Series:
    """A series with only its newest point."""
    finite = math.isfinite(value)
    return Series(
        tag,
        what,
        SOURCE,
        steps=np.array([step], np.int64),
        values=np.array([value]),
        wall_times=_NO_TIME,
        n=1,
        n_nonfinite=int(not finite),
        first_step=step,
        last_step=step,
        last=value,
        minimum=value if finite else math.nan,
        min_step=step,
        maximum=value if finite else math.nan,
        max_step=step,
        ghost_steps=_NO_STEPS,
        ghost_values=_NO_VALUES,
    )


_NO_TIME = np.array([math.nan])
_NO_STEPS = np.empty(0, np.int64)
_NO_VALUES = np.empty(0)


def _diagnosis(row: ServerRow) -> Diagnosis:
    since = _whole(row.values.get("lossmon_verdict_since_step")) or 0
    findings = [
        Finding(
            one_line(code, 64),
            _SEVERITIES.get(severity, Severity.NEUTRAL),
            since if code == row.verdict else 0,
            _CONFIDENCES.get(confidence, Confidence.MEDIUM),
        )
        for code, (severity, confidence) in row.findings.items()
    ]
    verdict = next((one for one in findings if one.code == row.verdict), WARMING_UP)
    findings.sort(key=lambda one: (one is not verdict, -one.severity))
    history = (VerdictChange(verdict.since_step, verdict.code, verdict.severity),)
    return Diagnosis(verdict, tuple(findings) or (verdict,), history)


def _best(row: ServerRow) -> Best | None:
    loss, step = row.values.get("lossmon_best_eval_loss"), row.values.get("lossmon_best_step")
    at = _whole(step)
    return None if loss is None or at is None else Best(at, loss)


def _job(row: ServerRow) -> Job | None:
    if not row.job:
        return None
    scheduler, identity, name, partition = (
        one_line(row.job.get(label, ""), 200) for label in ("scheduler", "id", "name", "partition")
    )
    return Job(
        scheduler,
        identity,
        name,
        _JOB_STATES.get(row.job.get("state", ""), JobState.UNKNOWN),
        partition=partition,
        limit=row.values.get("lossmon_job_limit_timestamp_seconds"),
    )


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and math.isfinite(value) else None
