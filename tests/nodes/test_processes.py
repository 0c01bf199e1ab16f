from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.nodes.processes import GONE_LOOKS, SCAN_INTERVAL, RunProcesses
from lossmon.types import NodeProcess, ProcessState

SPIN = "print(flush=True)\nwhile True: pass"
WAIT = "print(flush=True)\nimport sys; sys.stdin.read()"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    """Starts a training in the run's directory; it has begun when this returns."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str, **variables: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(child)
        assert child.stdout is not None
        child.stdout.readline()
        return child

    yield start
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def sampled(processes: RunProcesses, moment: float) -> dict[int | None, NodeProcess]:
    return {one.rank: one for one in processes.sample(moment)}


def spend(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until a process has used that much of a processor."""
    ticks = os.sysconf("SC_CLK_TCK")
    while True:
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        if (int(fields[11]) + int(fields[12])) / ticks >= seconds:
            return
        os.sched_yield()
        time.sleep(0)


def test_ranks_are_told_apart_and_what_they_do(tmp_path: Path, start) -> None:  # type: ignore[no-untyped-def]
    busy, idle = start(SPIN, RANK="0"), start(WAIT, SLURM_PROCID="11")
    processes = RunProcesses((str(tmp_path),))
    processes.sample(0.0)
    spend(busy, 0.3)
    found = sampled(processes, 1.0)
    assert set(found) == {0, 11}
    assert (found[0].pid, found[0].state) == (busy.pid, ProcessState.BUSY)
    assert found[0].cpu is not None and found[0].cpu > 5
    assert (found[11].pid, found[11].state) == (idle.pid, ProcessState.IDLE)


def test_a_process_that_ends_is_gone_for_a_while(tmp_path: Path, start) -> None:  # type: ignore[no-untyped-def]
    child = start(WAIT, RANK="0")
    processes = RunProcesses((str(tmp_path),))
    processes.sample(0.0)
    child.kill()
    child.wait()
    states = [[one.state for one in processes.sample(float(n))] for n in range(1, GONE_LOOKS + 3)]
    assert states[0] == [ProcessState.GONE] and states[-1] == []


def test_a_stopped_process_is_told(tmp_path: Path, start) -> None:  # type: ignore[no-untyped-def]
    child = start(SPIN, RANK="0")
    processes = RunProcesses((str(tmp_path),))
    processes.sample(0.0)
    child.send_signal(signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    assert sampled(processes, 1.0)[0].state is ProcessState.STOPPED


def test_a_training_that_begins_later_is_found(tmp_path: Path, start) -> None:  # type: ignore[no-untyped-def]
    processes = RunProcesses((str(tmp_path),))
    assert processes.sample(0.0) == ()
    start(WAIT)
    assert processes.sample(1.0) == ()
    assert len(processes.sample(SCAN_INTERVAL)) == 1


def test_workers_of_a_rank_are_one_with_it(tmp_path: Path, start) -> None:  # type: ignore[no-untyped-def]
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPIN!r}])"
    start(code, RANK="2")
    assert len(RunProcesses((str(tmp_path),)).sample(0.0)) == 1


def test_a_process_that_waits_for_a_disk_is_blocked_when_it_does_so_twice(tmp_path: Path) -> None:
    run, process = tmp_path / "run", tmp_path / "proc" / "12"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "0").symlink_to("/dev/null")
    (process / "cwd").symlink_to(run)
    (process / "cmdline").write_text("python\0train.py\0")
    (process / "environ").write_text("RANK=4\0HOME=/\0")

    def stat(state: str) -> None:
        fields = [state, "1", *["0"] * 16, "0", "555", "0"]
        (process / "stat").write_text(f"12 (a) b) {' '.join(fields)}")

    stat("D")
    processes = RunProcesses((str(run),), tmp_path / "proc")
    states = [sampled(processes, moment)[4].state for moment in (0.0, 1.0)]
    assert states == [ProcessState.IDLE, ProcessState.BLOCKED]
    stat("S")
    assert sampled(processes, 2.0)[4].state is ProcessState.IDLE


def test_what_watches_the_run_is_not_of_it(tmp_path: Path) -> None:
    process = tmp_path / "proc" / "12"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "0").symlink_to("/dev/null")
    (process / "cwd").symlink_to(tmp_path)
    (process / "stat").write_text(f"12 (x) S 1 {' '.join(['0'] * 20)}")
    processes = RunProcesses((str(tmp_path),), tmp_path / "proc")
    for line in ("/bin/bash\0job.sh\0", "python3\0/usr/bin/lossmon\0run\0"):
        (process / "cmdline").write_text(line)
        assert processes.sample(0.0) == ()
