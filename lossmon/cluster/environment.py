"""Job of a process, from the variables that its scheduler sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lossmon.sanitize import one_line
from lossmon.types import Job, JobState

LONGEST_VALUE = 200
"""Characters of a variable that are kept."""

_INDEXED = re.compile(r"(.+)-\d+")


def job_of(environment: Mapping[str, str]) -> Job | None:
    """The job that an environment belongs to, None outside of one."""
    known = {name: one_line(value, LONGEST_VALUE) for name, value in environment.items()}
    return next((job for read in _SCHEDULERS if (job := read(known)) is not None), None)


def _slurm(env: Mapping[str, str]) -> Job | None:
    own = env.get("SLURM_JOB_ID", "")
    if not own:
        return None
    array, task = env.get("SLURM_ARRAY_JOB_ID", ""), env.get("SLURM_ARRAY_TASK_ID", "")
    return Job(
        "Slurm",
        f"{array}_{task}" if array and task else own,
        env.get("SLURM_JOB_NAME", ""),
        JobState.RUNNING,
        user=env.get("SLURM_JOB_USER", ""),
        partition=env.get("SLURM_JOB_PARTITION", ""),
        nodes=env.get("SLURM_JOB_NODELIST", ""),
        started=_time(env.get("SLURM_JOB_START_TIME", "")),
        limit=_time(env.get("SLURM_JOB_END_TIME", "")),
        restarts=_count(env.get("SLURM_RESTART_COUNT", "")),
    )


def _pbs(env: Mapping[str, str]) -> Job | None:
    own = env.get("PBS_JOBID", "")
    if not own:
        return None
    return Job(
        "PBS",
        own,
        env.get("PBS_JOBNAME", ""),
        JobState.RUNNING,
        user=env.get("PBS_O_LOGNAME", ""),
        partition=env.get("PBS_QUEUE", ""),
    )


def _lsf(env: Mapping[str, str]) -> Job | None:
    own = env.get("LSB_JOBID", "")
    if not own:
        return None
    task = env.get("LSB_JOBINDEX", "")
    hosts = dict.fromkeys(env.get("LSB_HOSTS", "").split())
    return Job(
        "LSF",
        f"{own}[{task}]" if task not in ("", "0") else own,
        env.get("LSB_JOBNAME", ""),
        JobState.RUNNING,
        partition=env.get("LSB_QUEUE", ""),
        nodes=",".join(hosts),
        restarts=int(env.get("LSB_RESTART", "") == "Y"),
    )


def _kubernetes(env: Mapping[str, str]) -> Job | None:
    pod = env.get("HOSTNAME", "")
    if not pod or "KUBERNETES_SERVICE_HOST" not in env:
        return None
    indexed = _INDEXED.fullmatch(pod) if "JOB_COMPLETION_INDEX" in env else None
    return Job("Kubernetes", pod, indexed[1] if indexed else "", JobState.RUNNING)


_SCHEDULERS: tuple[Callable[[Mapping[str, str]], Job | None], ...] = (
    _slurm,
    _pbs,
    _lsf,
    _kubernetes,
)
"""A scheduler inside of another, as Slurm in pods, is the one that the user knows."""


def _time(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 40 else None


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
