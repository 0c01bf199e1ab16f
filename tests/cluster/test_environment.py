from __future__ import annotations

from lossmon.cluster.environment import job_of
from lossmon.types import Job, JobState


def test_outside_of_a_job_there_is_none() -> None:
    assert job_of({}) is None
    assert job_of({"HOSTNAME": "laptop", "SLURM_JOB_ID": ""}) is None


def test_a_task_of_an_array_of_slurm() -> None:
    environment = {
        "SLURM_JOB_ID": "1007",
        "SLURM_ARRAY_JOB_ID": "1000",
        "SLURM_ARRAY_TASK_ID": "7",
        "SLURM_JOB_NAME": "tune",
        "SLURM_JOB_PARTITION": "gpu",
        "SLURM_JOB_NODELIST": "gpu[01-04]",
        "SLURM_JOB_USER": "ada",
        "SLURM_JOB_START_TIME": "1700000000",
        "SLURM_JOB_END_TIME": "1700003600",
        "SLURM_RESTART_COUNT": "2",
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    }
    assert job_of(environment) == Job(
        "Slurm",
        "1000_7",
        "tune",
        JobState.RUNNING,
        user="ada",
        partition="gpu",
        nodes="gpu[01-04]",
        started=1.7e9,
        limit=1.7e9 + 3600,
        restarts=2,
    )


def test_a_job_of_pbs() -> None:
    environment = {"PBS_JOBID": "12.head", "PBS_JOBNAME": "tune", "PBS_QUEUE": "gpu"}
    job = job_of(environment | {"PBS_O_LOGNAME": "ada"})
    assert job == Job("PBS", "12.head", "tune", JobState.RUNNING, user="ada", partition="gpu")


def test_a_job_of_lsf_names_each_host_once() -> None:
    environment = {
        "LSB_JOBID": "44",
        "LSB_JOBINDEX": "3",
        "LSB_JOBNAME": "tune[1-9]",
        "LSB_QUEUE": "gpu",
        "LSB_HOSTS": "h1 h1 h2 h2",
    }
    job = job_of(environment)
    assert job is not None
    assert (job.scheduler, job.id, job.nodes) == ("LSF", "44[3]", "h1,h2")
    single = job_of({**environment, "LSB_JOBINDEX": "0"})
    assert single is not None and single.id == "44"


def test_a_pod_of_kubernetes_and_the_job_that_it_is_a_part_of() -> None:
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "tune-3-abcde"}
    assert job_of(pod) == Job("Kubernetes", "tune-3-abcde", "", JobState.RUNNING)
    indexed = job_of({**pod, "HOSTNAME": "tune-3", "JOB_COMPLETION_INDEX": "3"})
    assert indexed == Job("Kubernetes", "tune-3", "tune", JobState.RUNNING)


def test_what_a_scheduler_says_is_made_printable() -> None:
    job = job_of({"SLURM_JOB_ID": "5", "SLURM_JOB_NAME": "\x1b]0;x\x07" + "n" * 999})
    assert job is not None and job.name.isprintable() and len(job.name) <= 200
