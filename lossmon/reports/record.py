"""A run as the JSON object of the `check` contract."""

from __future__ import annotations

import math
from typing import Any

from lossmon.analysis.sentences import remedies
from lossmon.diagnosis.advice import advise
from lossmon.nodes.order import stragglers
from lossmon.reports.series_names import series_names
from lossmon.types import Finding, GpuReading, Job, NodeReading, RunSnapshot, Series


def record(run: RunSnapshot, language: str, *, points: bool = False) -> dict[str, Any]:
    """Describe a run for other programs; NaN and infinities are None."""
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


def job_record(job: Job | None) -> dict[str, Any] | None:
    """Describe a job; None where the run belongs to none that is known."""
    if job is None:
        return None
    return {
        "scheduler": job.scheduler,
        "id": job.id,
        "name": job.name,
        "state": job.state.value,
        "reason": job.reason,
        "partition": job.partition,
        "nodes": job.nodes,
        "started": job.started,
        "limit": job.limit,
        "restarts": job.restarts,
    }


def node_records(nodes: tuple[NodeReading, ...]) -> list[dict[str, Any]]:
    """Describe the nodes, those that need attention first; what is not known is None."""
    slow = {(one.node, one.gpu) for one in stragglers(nodes)}
    return [
        {
            "node": node.name,
            "time": node.time,
            "stale": node.stale,
            "cpu": finite(node.host.cpu if node.host else None),
            "gpus": [_gpu_record(gpu, (node.name, gpu.index) in slow) for gpu in node.gpus],
            "processes": [
                {"pid": p.pid, "name": p.name, "rank": p.rank, "state": p.state.value}
                for p in node.processes
            ],
        }
        for node in nodes
    ]


def _gpu_record(gpu: GpuReading, is_straggler: bool) -> dict[str, Any]:
    return {
        "index": gpu.index,
        "utilization": finite(gpu.utilization),
        "memory_used": gpu.memory_used,
        "memory_total": gpu.memory_total,
        "power": finite(gpu.power),
        "temperature": finite(gpu.temperature),
        "lost": gpu.lost,
        "straggler": is_straggler,
    }


def finite(value: float | None) -> float | None:
    """Return a number, or None where it is unknown, NaN or infinite: JSON has none of these."""
    return None if value is None or not math.isfinite(value) else value
