from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.hardware.sampler import HardwareSampler
from lossmon.monitor import Monitor
from lossmon.nodes.journal import path_of
from lossmon.nodes.recorder import AlreadyRecorded, Recorder, RecorderLock
from lossmon.nodes.samples import decode
from lossmon.types import HardwareReading, HostReading, NodeReading
from tests.monitor.logs import append, falling

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `lossmon record` on a directory."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "lossmon", "record", *arguments, "--interval", "0.1"]
        child = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path), **variables},
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    append(tmp_path / "run" / "trainer_log.jsonl", falling(1, 101))
    return tmp_path / "run"


def samples(path: Path) -> list[NodeReading]:
    lines = path.read_bytes().splitlines() if path.exists() else []
    found = [decode(line) for line in lines]
    return [sample.reading for sample in found if sample is not None]


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_recorder_that_is_killed_and_started_again_goes_on(run: Path, start: Start) -> None:
    path = path_of(run, "gpu01")
    environment = {"SLURM_JOB_ID": "77", "SLURM_JOB_NAME": "tune"}
    first = start(str(run), "--name", "gpu01", **environment)
    wait_for(lambda: len(samples(path)) >= 2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = len(samples(path))
    second = start(str(run), "--name", "gpu01", **environment)
    wait_for(lambda: len(samples(path)) > before)
    second.terminate()
    assert second.wait() == 0
    (node,) = Monitor([run]).drain().runs[0].nodes
    assert (node.name, node.stale, node.source) == ("gpu01", False, "lossmon record")
    assert node.host is not None and node.host.memory_total
    assert node.job is not None and (node.job.id, node.job.name) == ("77", "tune")


def test_a_second_recorder_of_a_node_ends_at_once(run: Path, start: Start) -> None:
    start(str(run), "--name", "gpu01")
    wait_for(lambda: bool(samples(path_of(run, "gpu01"))))
    second = start(str(run / "."), "--name", "gpu01")
    _, said = second.communicate(timeout=30)
    assert second.returncode == 0 and "already recorded on this node" in said


def test_the_verdict_of_a_log_that_only_the_node_has_is_recorded(
    run: Path, tmp_path: Path, start: Start
) -> None:
    lines = [
        f'{{"step": {step}, "loss": {"NaN" if step > 40 else 1 / step}}}\n' for step in range(1, 60)
    ]
    (tmp_path / "scratch").mkdir()
    append(tmp_path / "scratch" / "metrics.jsonl", lines)
    start(str(run), "--name", "gpu01", "--log", str(tmp_path / "scratch"))
    path = path_of(run, "gpu01")
    wait_for(lambda: any(node.verdicts for node in samples(path)))
    (verdict,) = samples(path)[-1].verdicts
    assert (verdict.code, verdict.severity, verdict.step) == ("non_finite", "critical", 59)


def reading() -> HardwareReading:
    return HardwareReading(host=HostReading("here", 1.0))


def test_nothing_is_put_into_a_run_before_the_training_has_begun(tmp_path: Path) -> None:
    run, said, ended = tmp_path / "run", [], threading.Event()
    recorder = Recorder(run, reading, host="a", interval=0.01, report=said.append)
    waiting = threading.Thread(target=recorder.wait_for_run, args=(ended,))
    waiting.start()
    run.mkdir()
    wait_for(lambda: bool(said))
    assert list(run.iterdir()) == [] and waiting.is_alive()
    (run / "config.json").touch()
    waiting.join(30)
    assert not waiting.is_alive() and said == [f"waiting until the training writes into {run}"]


def test_a_run_that_cannot_be_written_is_told_of_once_and_again_when_it_can(tmp_path: Path) -> None:
    said: list[str] = []
    recorder = Recorder(tmp_path / "run", reading, host="a", report=said.append)
    recorder.write_sample()
    recorder.write_sample()
    assert len(said) == 1 and "No such file or directory" in said[0]
    (tmp_path / "run").mkdir()
    recorder.write_sample()
    recorder.write_sample()
    assert len(said) == 2 and said[1].endswith("is written again")
    assert len(samples(path_of(tmp_path / "run", "a"))) == 2


def test_the_lock_is_free_again_after_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lock = RecorderLock(tmp_path)
    with pytest.raises(AlreadyRecorded):
        RecorderLock(tmp_path / ".")
    lock.release()
    RecorderLock(tmp_path).release()


def test_a_sampler_gives_what_a_recorder_needs(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    sampler = HardwareSampler([tmp_path / "run"], interval=0.05)
    sampler.start()
    recorder = Recorder(tmp_path / "run", lambda: sampler.latest, host="a", interval=0.05)
    ended = threading.Event()
    thread = threading.Thread(target=recorder.record, args=(ended,))
    thread.start()
    path = path_of(tmp_path / "run", "a")
    wait_for(lambda: any(node.host and node.host.cpu is not None for node in samples(path)))
    ended.set()
    thread.join()
    sampler.stop()
    (node, *_) = samples(path)
    assert replace(node, host=None).host is None and node.host is not None
