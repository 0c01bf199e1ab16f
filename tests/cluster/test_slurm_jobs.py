from __future__ import annotations

from typing import Any

import pytest

from lossmon.cluster.slurm.jobs import (
    ACCOUNT_FIELDS,
    QUEUE_FIELDS,
    SEPARATOR,
    from_accounts,
    from_json,
    from_queue,
)
from lossmon.types import Job, JobState

EXPECTED = Job(
    "Slurm",
    "1000_7",
    "tune",
    JobState.RUNNING,
    user="ada",
    partition="gpu",
    nodes="gpu[01-04]",
    started=1.7e9,
    limit=1.7e9 + 7200,
    restarts=1,
)


def number(value: int) -> dict[str, Any]:
    """A number as versions from 23.02 on wrap it."""
    return {"set": True, "infinite": False, "number": value}


UP_TO_22_05 = {
    "job_id": 1007,
    "array_job_id": 1000,
    "array_task_id": 7,
    "array_task_string": "",
    "name": "tune",
    "job_state": "RUNNING",
    "state_reason": "None",
    "user_name": "ada",
    "partition": "gpu",
    "nodes": "gpu[01-04]",
    "start_time": 1700000000,
    "end_time": 1700007200,
    "time_limit": 120,
    "restart_cnt": 1,
    "standard_output": "/home/ada/slurm-%A_%a.out",
    "standard_error": "",
    "current_working_directory": "/home/ada",
}
FROM_23_02 = UP_TO_22_05 | {
    "array_job_id": number(1000),
    "array_task_id": number(7),
    "start_time": number(1700000000),
    "end_time": number(1700007200),
    "time_limit": number(120),
}
FROM_23_11 = FROM_23_02 | {"job_state": ["RUNNING", "COMPLETING"], "nodes": "gpu[01-04]"}
FROM_24_05 = FROM_23_11 | {
    "standard_output": "/home/ada/slurm-%A_%a.out",
    "stdout_expanded": "/home/ada/slurm-1000_7.out",
}
ACCOUNTED = {
    "job_id": 1007,
    "array": {"job_id": 1000, "task_id": number(7), "task": ""},
    "name": "tune",
    "state": {"current": ["RUNNING"], "reason": "None"},
    "user": "ada",
    "partition": "gpu",
    "nodes": "gpu[01-04]",
    "time": {"start": 1700000000, "end": 0, "limit": number(120)},
    "restart_cnt": 1,
    "stdout": "/home/ada/slurm-%A_%a.out",
    "working_directory": "/home/ada",
}


@pytest.mark.parametrize("entry", [UP_TO_22_05, FROM_23_02, FROM_23_11, FROM_24_05, ACCOUNTED])
def test_the_json_of_every_version_says_the_same(entry: dict[str, Any]) -> None:
    (job,) = from_json({"meta": {}, "jobs": [entry], "errors": []})
    assert job.job == EXPECTED
    assert (job.number, job.directory) == ("1007", "/home/ada")
    assert job.stdout in ("/home/ada/slurm-%A_%a.out", "/home/ada/slurm-1000_7.out")


def row(fields: tuple[str, ...], values: dict[str, str], end: str = SEPARATOR) -> str:
    return SEPARATOR.join(values.get(name, "") for name in fields) + end + "\n"


QUEUED = {
    "JobArrayID": "1000_7",
    "JobID": "1007",
    "Name": "tune",
    "State": "RUNNING",
    "Reason": "None",
    "UserName": "ada",
    "Partition": "gpu",
    "NodeList": "gpu[01-04]",
    "StartTime": "1700000000",
    "EndTime": "1700007200",
    "TimeLimit": "2:00:00",
    "RestartCnt": "1",
    "StdOut": "/home/ada/slurm-%A_%a.out",
    "WorkDir": "/home/ada",
}


def test_the_text_of_the_queue_says_the_same() -> None:
    (job,) = from_queue(row(QUEUE_FIELDS, QUEUED))
    assert job.job == EXPECTED
    assert (job.number, job.stdout) == ("1007", "/home/ada/slurm-%A_%a.out")


def test_the_text_of_the_accounts_says_the_same_and_steps_are_left_out() -> None:
    values = {
        "JobID": "1000_7",
        "JobIDRaw": "1007",
        "JobName": "tune",
        "State": "RUNNING",
        "User": "ada",
        "Partition": "gpu",
        "NodeList": "gpu[01-04]",
        "Start": "1700000000",
        "End": "Unknown",
        "TimelimitRaw": "120",
        "Restarts": "1",
        "WorkDir": "/home/ada",
    }
    text = row(ACCOUNT_FIELDS, values, "")
    text += row(ACCOUNT_FIELDS, values | {"JobID": "1000_7.batch"}, "")
    (job,) = from_accounts(text)
    assert job.job == EXPECTED and job.number == "1007"


@pytest.mark.parametrize(
    ("word", "reason", "expected"),
    [
        ("PENDING", "(Resources)", (JobState.PENDING, "Resources")),
        ("PENDING", "None", (JobState.PENDING, "")),
        ("COMPLETING", "None", (JobState.RUNNING, "")),
        ("OUT_OF_MEMORY", "OutOfMemory", (JobState.FAILED, "OUT_OF_MEMORY")),
        ("FAILED", "NonZeroExitCode", (JobState.FAILED, "NonZeroExitCode")),
        ("CANCELLED by 1000", "None", (JobState.CANCELLED, "")),
        ("PREEMPTED", "None", (JobState.CANCELLED, "PREEMPTED")),
        ("TIMEOUT", "TimeLimit", (JobState.TIMEOUT, "TimeLimit")),
        ("REQUEUED", "BeginTime", (JobState.PENDING, "REQUEUED")),
        ("HOLIDAY", "None", (JobState.UNKNOWN, "HOLIDAY")),
    ],
)
def test_states_in_our_words(word: str, reason: str, expected: tuple[JobState, str]) -> None:
    (job,) = from_queue(row(QUEUE_FIELDS, QUEUED | {"State": word, "Reason": reason}))
    assert (job.job.state, job.job.reason) == expected


@pytest.mark.parametrize(
    "changes",
    [{"TimeLimit": "UNLIMITED"}, {"StartTime": "N/A", "EndTime": "N/A"}, {"State": "PENDING"}],
)
def test_without_a_limit_or_a_start_nothing_ends_the_job(changes: dict[str, str]) -> None:
    (job,) = from_queue(row(QUEUE_FIELDS, QUEUED | changes))
    assert job.job.limit is None
    infinite = UP_TO_22_05 | {"time_limit": {"set": True, "infinite": True, "number": 0}}
    assert from_json({"jobs": [infinite]})[0].job.limit is None


@pytest.mark.parametrize(
    "document", [None, [], {"jobs": None}, {"jobs": [None, {}, {"job_id": "x"}]}, {"jobs": {}}]
)
def test_an_answer_of_another_shape_holds_no_job(document: object) -> None:
    assert from_json(document) == []


def test_a_line_that_is_cut_or_foreign_is_left_out() -> None:
    assert from_queue("slurm_load_jobs error\n\n" + row(QUEUE_FIELDS, QUEUED)[:30]) == []


def test_names_are_made_printable() -> None:
    (job,) = from_queue(row(QUEUE_FIELDS, QUEUED | {"Name": "a\x1b[2Jb|c d"}))
    assert job.job.name == "a [2Jb|c d"
