"""Slurm's jobs as its commands print them, as JSON or as text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lossmon.fast_dataclass import dataclass
from lossmon.sanitize import one_line
from lossmon.types import Job, JobState

SEPARATOR = "\x1f"
"""Stands between two fields of a text: no name of a job holds it."""

QUEUE_FIELDS = (
    *("JobArrayID", "JobID", "Name", "State", "Reason", "UserName", "Partition", "NodeList"),
    *("StartTime", "EndTime", "TimeLimit", "RestartCnt", "StdOut", "StdErr", "WorkDir"),
)
"""Fields asked of `squeue --Format`, known to every version since 20.11."""

ACCOUNT_FIELDS = (
    *("JobID", "JobIDRaw", "JobName", "State", "Reason", "User", "Partition", "NodeList"),
    *("Start", "End", "TimelimitRaw", "Restarts", "WorkDir"),
)
"""Fields asked of `sacct --format`."""

_STATES: Mapping[str, JobState] = {
    "PENDING": JobState.PENDING,
    "CONFIGURING": JobState.PENDING,
    "REQUEUED": JobState.PENDING,
    "REQUEUE_HOLD": JobState.PENDING,
    "REQUEUE_FED": JobState.PENDING,
    "SPECIAL_EXIT": JobState.PENDING,
    "RESV_DEL_HOLD": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "COMPLETING": JobState.RUNNING,
    "STAGE_OUT": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "RESIZING": JobState.RUNNING,
    "SUSPENDED": JobState.SUSPENDED,
    "STOPPED": JobState.SUSPENDED,
    "PREEMPTED": JobState.CANCELLED,
    "CANCELLED": JobState.CANCELLED,
    "REVOKED": JobState.CANCELLED,
    "COMPLETED": JobState.COMPLETED,
    "TIMEOUT": JobState.TIMEOUT,
    "DEADLINE": JobState.TIMEOUT,
    "FAILED": JobState.FAILED,
    "BOOT_FAIL": JobState.FAILED,
    "NODE_FAIL": JobState.FAILED,
    "OUT_OF_MEMORY": JobState.FAILED,
    "LAUNCH_FAILED": JobState.FAILED,
    "RECONFIG_FAIL": JobState.FAILED,
}
"""Slurm's states; those that say more than ours are kept as the reason."""

LONGEST_FIELD = 500
"""Characters of a name or a node list that are kept."""

_UNTOLD = frozenset({"", "None", "(null)", "N/A", "Unknown", "NONE"})


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """A job with where it writes.

    Attributes:
        job: What is shown.
        number: Its own number, also of a task of an array.
        stdout: File of its standard output, as `sbatch --output` spells it, or empty.
        stderr: The same of its standard error.
        directory: Where it works, or empty.
    """

    job: Job
    number: str
    stdout: str = ""
    stderr: str = ""
    directory: str = ""


def from_json(document: object) -> list[SlurmJob]:
    """Jobs of `squeue --json` or `sacct --json`, of any version."""
    jobs = document.get("jobs") if isinstance(document, dict) else None
    found = (_json_job(entry) for entry in jobs or () if isinstance(entry, dict))
    return [job for job in found if job is not None]


def from_queue(text: str) -> list[SlurmJob]:
    """Jobs of `squeue --Format` with `QUEUE_FIELDS`."""
    return [_text_job(row, row["JobID"], "RestartCnt") for row in _rows(text, QUEUE_FIELDS)]


def from_accounts(text: str) -> list[SlurmJob]:
    """Jobs of `sacct --parsable2` with `ACCOUNT_FIELDS`; each requeued one once, as it is last."""
    newest: dict[str, SlurmJob] = {}
    for row in _rows(text, ACCOUNT_FIELDS):
        if "." in row["JobID"]:
            # A step: the job itself has a row too.
            continue
        row |= {"JobArrayID": row["JobID"], "Name": row["JobName"], "UserName": row["User"]}
        row |= {"StartTime": row["Start"], "EndTime": row["End"], "TimeLimit": ""}
        row |= {"StdOut": "", "StdErr": ""}
        limit, started = _whole(row["TimelimitRaw"]), _whole(row["Start"])
        # What ended early says when it ended, not when it had to.
        row["EndTime"] = str(started + 60 * limit) if limit and started else ""
        newest[row["JobID"]] = _text_job(row, row["JobIDRaw"], "Restarts")
    return list(newest.values())


# ------------------------------------------------------------------------------------- JSON


def _json_job(entry: Mapping[str, Any]) -> SlurmJob | None:
    number = _json_number(entry.get("job_id"))
    if number is None:
        return None
    state = entry.get("job_state", entry.get("state"))
    reason = entry.get("state_reason")
    if isinstance(state, dict):
        accounted = _table(state)
        state, reason = accounted.get("current"), accounted.get("reason")
    words = [str(one) for one in state] if isinstance(state, list) else [str(state or "")]
    times = _table(entry.get("time"))
    started = _json_number(entry.get("start_time", times.get("start")))
    limit = _json_number(entry.get("time_limit", times.get("limit")))
    job = Job(
        "Slurm",
        _json_id(entry, number),
        _clean(entry.get("name")),
        *_state(words[0], _clean(reason)),
        user=_clean(entry.get("user_name", entry.get("user"))),
        partition=_clean(entry.get("partition")),
        nodes=_clean(entry.get("nodes")),
        started=float(started) if started else None,
        limit=float(started + 60 * limit) if started and limit else None,
        restarts=_json_number(entry.get("restart_cnt")) or 0,
    )
    return SlurmJob(
        job,
        str(number),
        _path(entry.get("stdout_expanded") or entry.get("standard_output") or entry.get("stdout")),
        _path(entry.get("stderr_expanded") or entry.get("standard_error") or entry.get("stderr")),
        _path(entry.get("current_working_directory", entry.get("working_directory"))),
    )


def _json_id(entry: Mapping[str, Any], number: int) -> str:
    array = _table(entry.get("array"))
    job = _json_number(entry.get("array_job_id", array.get("job_id")))
    task = _json_number(entry.get("array_task_id", array.get("task_id")))
    tasks = _clean(entry.get("array_task_string", array.get("task")))
    if job and task is not None:
        return f"{job}_{task}"
    return f"{job}_[{tasks}]" if job and tasks else str(number)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _json_number(value: object) -> int | None:
    """A number, plain as up to 22.05 or an object that says whether it is set."""
    if isinstance(value, dict):
        if not value.get("set", True) or value.get("infinite"):
            return None
        value = value.get("number")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1 << 40:
        return None
    return int(value)


# ------------------------------------------------------------------------------------- text


def _rows(text: str, fields: Sequence[str]) -> Iterator[dict[str, str]]:
    for line in text.splitlines():
        values = line.split(SEPARATOR)
        if len(values) - len(fields) in (0, 1):
            yield {name: value.strip() for name, value in zip(fields, values, strict=False)}


def _text_job(row: Mapping[str, str], number: str, restarts: str) -> SlurmJob:
    state, reason = _state(row["State"], row["Reason"].strip("()"))
    started, limit = _whole(row["StartTime"]), _whole(row["EndTime"])
    is_limited = row["TimeLimit"] != "UNLIMITED" and started is not None
    is_begun = state is not JobState.PENDING
    job = Job(
        "Slurm",
        _clean(row["JobArrayID"]),
        _clean(row["Name"]),
        state,
        reason,
        _clean(row["UserName"]),
        _clean(row["Partition"]),
        _told(row["NodeList"]),
        float(started) if started is not None and is_begun else None,
        float(limit) if limit is not None and is_limited and is_begun else None,
        _whole(row[restarts]) or 0,
    )
    paths = (_path(_told(row[name])) for name in ("StdOut", "StdErr", "WorkDir"))
    return SlurmJob(job, _clean(number), *paths)


def _state(word: str, reason: str) -> tuple[JobState, str]:
    """Our word for a state, and why it is so: Slurm's own word where that says more."""
    # `CANCELLED by 1000`
    word = word.split(" ")[0].rstrip("+").upper()
    state = _STATES.get(word, JobState.UNKNOWN)
    if word not in ("", "COMPLETING", state.value.upper()):
        return state, word
    is_plain = state in (JobState.RUNNING, JobState.COMPLETED)
    return state, "" if is_plain else _told(reason)


def _told(text: str) -> str:
    text = _clean(text)
    return "" if text in _UNTOLD else text


def _clean(value: object) -> str:
    if isinstance(value, dict):
        # Some versions wrap words as they wrap numbers.
        value = value.get("id", value.get("name", ""))
    return one_line(value, LONGEST_FIELD) if isinstance(value, str) else ""


def _path(value: object) -> str:
    """A path as it stands: it is opened, and made printable where it is shown."""
    text = value if isinstance(value, str) else ""
    return "" if text in _UNTOLD or "\0" in text else text[:4096]


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 13 else None


_PATTERN = re.compile(r"%(?:%|(\d{0,4})([AaJjNnstuxbh]))")

_DEFAULT = re.compile(r"slurm-(?:\d+|%j)\.out")

MOST_FILES = 512
"""Files of one job that are followed: one per task where it asked for that."""


def outputs(job: SlurmJob) -> list[Path]:
    """The output files of a job that are there, its standard output first."""
    found: dict[Path, None] = {}
    # Some versions say nothing where the user gave no name.
    stdout = job.stdout or "slurm-%j.out"
    for spelled in (_spelled(job, stdout), _spelled(job, job.stderr)):
        if spelled:
            found.update(dict.fromkeys(_existing(job, spelled)))
    return list(found)[:MOST_FILES]


def expected(job: SlurmJob) -> list[Path]:
    """The output files of a job that are there, or else the one that will be."""
    if found := outputs(job):
        return found
    path = _expanded(job, _spelled(job, job.stdout or "slurm-%j.out"))
    return [Path(path)] if path and "\0" not in path and "[" not in job.job.id else []


def _spelled(job: SlurmJob, path: str) -> str:
    """Path as the user spelled it; empty for none and for a device."""
    if not path or path.startswith("/dev/"):
        return ""
    directory, name = os.path.split(path)
    if "_" in job.job.id and _DEFAULT.fullmatch(name):
        # Where the user said nothing some versions give the name that a single job would have.
        name = "slurm-%A_%a.out"
    return os.path.join(job.directory, directory, name)


def _existing(job: SlurmJob, spelled: str) -> Iterator[Path]:
    """The file, or those of every task and node where the name has a place for them."""
    directory, name = os.path.split(_expanded(job, spelled))
    if "\0" not in name:
        path = Path(directory, name)
        if path.is_file():
            yield path
        return
    wanted = re.compile(".*?".join(re.escape(part) for part in name.split("\0")))
    try:
        with os.scandir(directory) as entries:
            found = sorted(entry.name for entry in entries if wanted.fullmatch(entry.name))
    except (OSError, ValueError):
        return
    yield from (Path(directory, one) for one in found)


def _expanded(job: SlurmJob, spelled: str) -> str:
    """Put the values of a job in the place of its patterns, and NUL for what differs by task."""
    array, _, task = job.job.id.partition("_")
    values = {
        "A": array,
        "a": task,
        "j": job.number,
        "J": job.number,
        "x": job.job.name.replace("/", "_"),
        "u": job.job.user,
        "s": "batch",
    }
    if "\\" in spelled:
        # A backslash takes the meaning from all patterns.
        return spelled.replace("\\", "")

    def value(match: re.Match[str]) -> str:
        if match[2] is None:
            return "%"
        text = values.get(match[2], "\0")
        width = int(match[1] or 0)
        return text.zfill(min(width, 10)) if text.isdecimal() else text

    return _PATTERN.sub(value, spelled)
