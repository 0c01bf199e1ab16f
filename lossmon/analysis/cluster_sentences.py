"""Sentences about the job and the nodes of a run, in the user's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossmon import locale
from lossmon.analysis.sentences import duration
from lossmon.fast_dataclass import dataclass
from lossmon.nodes.order import stragglers
from lossmon.types import JobState, NodeReading, ProcessState, RunSnapshot

SHOWN = 4
"""Nodes, GPUs or processes that a sentence names."""


def _templates(language: str) -> Mapping[str, Any]:
    return locale.section("cluster", language)


def job_sentence(run: RunSnapshot, language: str) -> str:
    """Which job a run belongs to: `Slurm job 12345 (tune), partition gpu, on gpu[01-04]`."""
    job = run.job
    if job is None:
        return ""
    templates = _templates(language)
    name = templates["named"].format(name=job.name) if job.name else ""
    parts = [templates["job"].format(scheduler=job.scheduler, id=job.id) + name]
    if job.partition:
        parts.append(templates["partition"].format(partition=job.partition))
    if job.nodes:
        parts.append(templates["nodes"].format(nodes=job.nodes))
    if job.restarts:
        parts.append(templates["requeued"].format(count=job.restarts))
    if job.state not in (JobState.RUNNING, JobState.UNKNOWN):
        reason = f" ({job.reason})" if job.reason else ""
        parts.append(templates["states"].get(job.state.value, job.state.value) + reason)
    return str(templates["comma"].join(parts))


def limit_sentence(run: RunSnapshot, now: float, language: str) -> str:
    """Whether the run ends before its job's time limit: `ends 2 h after the time limit`.

    Empty where there is no limit, or the run has ended.
    """
    found = time_limit(run, now)
    if found is None:
        return ""
    templates = _templates(language)
    if found.overrun is None:
        return str(templates["left"].format(time=duration(found.left, language)))
    key = "over" if found.overrun > 0 else "within"
    return str(templates[key].format(time=duration(abs(found.overrun), language)))


def node_sentences(nodes: tuple[NodeReading, ...], now: float, language: str) -> list[str]:
    """What is wrong with the nodes of a run, worst first; nothing where all is well."""
    templates = _templates(language)
    sentences = [
        templates["process"].format(
            node=node.name,
            process=f"{process.name} ({process.pid})",
            state=templates["processes"][process.state.value],
        )
        for node in nodes
        for process in node.processes
        if not node.stale and process.state in (ProcessState.GONE, ProcessState.BLOCKED)
    ][:SHOWN]
    sentences += [
        templates["lost"].format(node=node.name, gpu=gpu.index)
        for node in nodes
        for gpu in node.gpus
        if gpu.lost and not node.stale
    ][:SHOWN]
    sentences += [
        templates["stale"].format(node=node.name, time=duration(max(1, now - node.time), language))
        for node in nodes
        if node.stale
    ][:SHOWN]
    sentences += [
        templates["straggler"].format(
            node=one.node, gpu=one.gpu, value=f"{one.utilization:.0f}", usual=f"{one.usual:.0f}"
        )
        for one in stragglers(nodes)
    ][:SHOWN]
    return sentences


LIVE = frozenset({JobState.RUNNING, JobState.SUSPENDED, JobState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How a job's time limit compares with the run.

    Attributes:
        left: Seconds to the limit.
        overrun: Seconds from the limit to the expected end of the run, negative where it ends
            before; None where its end is not known.
    """

    left: float
    overrun: float | None


def time_limit(run: RunSnapshot, now: float) -> TimeLimit | None:
    """Compare the limit with the expected end; None where no limit is ahead or the run ended.

    Args:
        now: Seconds since the Unix epoch.
    """
    job = run.job
    if job is None or job.limit is None or job.state not in LIVE or job.limit <= now:
        return None
    if run.state.is_over:
        return None
    if run.remaining is None:
        return TimeLimit(job.limit - now, None)
    # What remains was estimated when the newest point came.
    end = max(now, (run.last_time or now) + run.remaining)
    return TimeLimit(job.limit - now, end - job.limit)
