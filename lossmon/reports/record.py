"""A run as the JSON object of the `check` contract."""

from __future__ import annotations

from typing import Any

from lossmon.analysis.sentences import remedies
from lossmon.diagnosis.advice import advise
from lossmon.reports.cluster_record import job_record, node_records
from lossmon.reports.series_names import series_names
from lossmon.reports.values import finite
from lossmon.types import Finding, RunSnapshot, Series


def record(run: RunSnapshot, language: str, *, points: bool = False) -> dict[str, Any]:
    """Describe a run for other programs; NaN and infinities are None.

    Args:
        run: The run.
        language: Language of evidence and advice.
        points: Add the points of each series.
    """
    verdict = run.diagnosis.verdict
    words = advise(verdict, language)
    return {
        "run": run.name,
        "path": str(run.path),
        "sources": list(run.sources),
        "state": run.state.value,
        "step": run.step,
        "total_steps": run.total_steps,
        "epoch": finite(run.epoch),
        "verdict": {
            **_finding(verdict),
            "confidence": verdict.confidence.value,
            "evidence": words.evidence,
            "advice": list(remedies(run, language)),
        },
        "findings": [_finding(finding) for finding in run.diagnosis.findings],
        "history": [
            {"step": turn.step, "code": turn.code, "severity": turn.severity.word}
            for turn in run.diagnosis.history
        ],
        "series": {
            name: _one_series(series, points)
            for name, series in zip(series_names(run.series), run.series, strict=True)
        },
        "media": [
            {"kind": one.kind.value, "name": one.name, "last_step": one.last_step}
            for one in run.media
        ],
        "best": _best(run),
        "job": job_record(run.job),
        "nodes": node_records(run.nodes),
        "errors": list(run.errors),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.word,
        "since_step": finding.since_step,
    }


def _one_series(series: Series, points: bool) -> dict[str, Any]:
    described = {
        "split": series.meaning.split.value,
        "kind": series.meaning.kind.value,
        "axis": series.axis.value,
        "n": series.n,
        "n_nonfinite": series.n_nonfinite,
        "first_step": series.first_step,
        "last_step": series.last_step,
        "last": finite(series.last),
        "min": finite(series.minimum),
        "min_step": series.min_step,
    }
    return described | {"points": _points(series)} if points else described


def _points(series: Series) -> dict[str, Any]:
    return {
        "steps": series.steps.tolist(),
        "values": [finite(value) for value in series.values.tolist()],
        "wall_times": [finite(time) for time in series.wall_times.tolist()],
    }


def _best(run: RunSnapshot) -> dict[str, Any] | None:
    if run.best is None:
        return None
    return {
        "step": run.best.step,
        "eval_loss": finite(run.best.eval_loss),
        "checkpoint": run.best.checkpoint,
    }
