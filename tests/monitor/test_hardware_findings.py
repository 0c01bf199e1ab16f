"""Findings about hardware on the badge of a run, from every place that readings come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lossmon.hardware.gpu import Gpus
from lossmon.hardware.processes import Processes
from lossmon.monitor import Monitor, NoHardware
from lossmon.monitor.hardware import MOST, BadgeHistory, with_findings
from lossmon.monitor.run_hardware import RunHardware, checkpoint_size
from lossmon.nodes.journal import path_of
from lossmon.nodes.samples import NodeSample, encode
from lossmon.reports.plain import plain
from lossmon.types import (
    Confidence,
    Diagnosis,
    Finding,
    GpuProcess,
    HardwareReading,
    HostReading,
    NodeProcess,
    NodeReading,
    ProcessState,
    RunSnapshot,
    Severity,
    VerdictChange,
)
from tests.hardware.conftest import FakeNvml, compiled, driver
from tests.hardware.situations import GIB, HOST, RUN, START, WORKING

__all__ = ["compiled", "driver"]

TRAINER = GpuProcess(4242, "python", 50 * GIB, own=True)
GPU = replace(WORKING, processes=(TRAINER,))


class Scene:
    """A run that a monitor watches, with a clock and hardware that the test sets."""

    def __init__(self, run: Path) -> None:
        self.now = START
        self.hardware = NoHardware(HardwareReading((GPU, replace(GPU, index=1)), "", HOST))
        self.run = run
        run.mkdir(exist_ok=True)
        self._log = run / "train.jsonl"
        self._log.touch()
        self._steps = 0
        self.monitor = Monitor([run], hardware=self.hardware, clock=lambda: self.now)

    def log(self, count: int, **values: float) -> None:
        """Log steps, one per ten seconds."""
        with self._log.open("a") as file:
            for _ in range(count):
                self._steps += 1
                line = {"step": self._steps, "total_steps": 9999, "timestamp": self.now}
                loss = 3.0 - self._steps / 1000
                file.write(json.dumps(line | {"loss": loss} | values) + "\n")

    def play(self, seconds: float, pace: float | None = 10.0) -> RunSnapshot:
        """Let time pass, and return the run then."""
        end = self.now + seconds
        while self.now < end:
            if pace is not None and int(self.now) % int(pace) == 0:
                self.log(1)
            self.monitor.rescan()
            [run] = self.monitor.poll(1.0).runs
            self.now += 5
        return run

    def show(self, **changes: Any) -> None:
        """Change both GPUs of this machine."""
        gpus = tuple(replace(gpu, **changes) for gpu in self.hardware.latest.gpus)
        self.hardware.latest = HardwareReading(gpus, "", HOST)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "run")


def codes(run: RunSnapshot) -> set[str]:
    return {finding.code for finding in run.diagnosis.findings}


def test_a_hang_is_the_badge_until_steps_go_on(scene: Scene) -> None:
    assert scene.play(600).diagnosis.verdict.code != "hung_collective"
    scene.show(utilization=100.0, power=120.0)
    run = scene.play(500, pace=None)
    assert run.diagnosis.verdict.code == "hung_collective"
    assert scene.monitor.poll(1.0).runs[0] is scene.monitor.poll(1.0).runs[0]
    scene.show(utilization=97.0, power=640.0)
    assert "hung_collective" in codes(scene.play(20)), "a badge does not flicker"
    run = scene.play(90)
    assert "hung_collective" not in codes(run)
    hang, after = run.diagnosis.history[-2:]
    assert (hang.code, hang.severity, hang.step) == ("hung_collective", Severity.CRITICAL, 60)
    assert (after.code, after.hardware) == (run.diagnosis.verdict.code, True)
    assert not {hang, after} & {*run.diagnosis.curve_history}
    assert "hung_collective (critical)" in plain(run, "en", history=True)


def test_the_badge_of_the_hardware_is_remembered_in_order_and_within_bounds() -> None:
    def seen(step: int, code: str) -> None:
        badge = curve if code == "healthy" else Finding(code, Severity.WARNING, 0, Confidence.HIGH)
        badges.add(replace(RUN, step=step, diagnosis=Diagnosis(curve, (), ())), badge)

    badges = BadgeHistory()
    curve = Finding("healthy", Severity.OK, 0, Confidence.HIGH)
    for step, code in ((1, "healthy"), (2, "throttling"), (3, "throttling"), (4, "slow_gpu")):
        seen(step, code)
    for step in (5, 6):
        seen(step, "healthy")
    turn = VerdictChange(3, "plateau", Severity.NOTICE)
    merged = [(one.step, one.code) for one in badges.merged((turn,))]
    assert merged == [(2, "throttling"), (3, "plateau"), (4, "slow_gpu"), (5, "healthy")]
    seen(3, "healthy")
    assert [one.step for one in badges.merged(())] == [2], "a run that began anew"
    for step in range(10, 1000):
        seen(step, "slow_gpu" if step % 2 else "healthy")
    assert len(badges.merged(())) == MOST


def test_processes_that_end_are_missed_where_they_were_seen(scene: Scene) -> None:
    scene.play(300)
    scene.show(processes=(), utilization=0.0, memory_used=0)
    assert scene.play(200, pace=None).diagnosis.verdict.code == "process_gone"
    scene.show(processes=(TRAINER,))
    assert "process_gone" not in codes(scene.play(90))


def test_gpus_of_others_do_not_count(scene: Scene) -> None:
    scene.show(processes=(replace(TRAINER, own=False),))
    scene.play(600)
    scene.show(utilization=100.0, power=120.0)
    assert codes(scene.play(500, pace=None)).isdisjoint({"hung_collective", "process_gone"})


def test_of_two_live_runs_neither_is_given_the_hardware(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "other").mkdir(parents=True)
    lines = (json.dumps({"step": n, "loss": 2.0, "timestamp": START}) for n in range(9))
    (runs / "other" / "log.jsonl").write_text("\n".join(lines) + "\n")
    scene = Scene(runs / "run")
    scene.monitor = Monitor([runs], hardware=scene.hardware, clock=lambda: scene.now)
    scene.show(lost=True)
    for _ in range(20):
        scene.log(1)
        found = scene.monitor.poll(1.0)
        scene.now += 5
    assert len(found.runs) == 2
    assert all("gpu_error" not in codes(run) for run in found.runs)


def test_a_checkpoint_that_does_not_fit_is_found(scene: Scene) -> None:
    for step in (10, 20):
        folder = scene.run / f"checkpoint-{step}" / "shards"
        folder.mkdir(parents=True)
        (folder.parent / "optimizer.bin").write_bytes(bytes(step * 1000))
        (folder / "weights.bin").write_bytes(bytes(step * 1000))
    room = HostReading("here", disk_free=41_000, disk_total=1 << 30)
    scene.hardware.latest = HardwareReading((), "", room)
    run = scene.play(60)
    assert checkpoint_size(run) == 40_000
    assert "disk_full" not in codes(run)
    scene.hardware.latest = HardwareReading((), "", replace(room, disk_free=39_000))
    assert scene.play(60).diagnosis.verdict.code == "disk_full"


def test_nodes_of_a_recorder_are_judged(scene: Scene) -> None:
    scene.hardware.latest = HardwareReading()
    file = path_of(scene.run, "gpu01")
    file.parent.mkdir()
    alive = NodeProcess(7, "python", ProcessState.BUSY, 99.0, 0)

    def sample(state: ProcessState) -> None:
        processes = (replace(alive, state=state),)
        node = NodeReading("gpu01", scene.now, (GPU,), HOST, processes)
        with file.open("ab") as journal:
            journal.write(encode(NodeSample(node, 10.0)))

    # Such files are looked at every two seconds of real time; the follower is asked by the test.
    moments = iter(range(0, 1_000_000, 100))
    follower = scene.monitor._nodes._follower(scene.run)
    follower._monotonic = lambda: float(next(moments))
    for state, pace in ((ProcessState.BUSY, 10), (ProcessState.GONE, None)):
        for _ in range(12):
            sample(state)
            run = scene.play(10, pace)
    finding = run.diagnosis.verdict
    assert (finding.code, finding.facts["process"]) == ("process_gone", "gpu01 python")


def test_the_nodes_of_an_earlier_job_do_not_count() -> None:
    hardware, now, step = RunHardware(), START, 0

    def play(node: str, seconds: int, *, works: bool) -> set[str]:
        nonlocal now, step
        for _ in range(0, seconds, 10):
            now, step = now + 10, step + works
            gpu = GPU if works else replace(GPU, utilization=100.0, power=120.0)
            nodes = (NodeReading(node, now, (gpu, replace(gpu, index=1)), HOST),)
            run = replace(RUN, step=step, nodes=nodes)
            found = hardware.findings(run, HardwareReading(), now)
        return {finding.code for finding in found}

    play("gpu01", 600, works=True)
    assert play("gpu07", 900, works=True) == set()
    assert play("gpu07", 500, works=False) == {"hung_collective"}


@pytest.mark.parametrize(("count", "kept"), [(8, 8 * 181), (1100, 1024 * 67)])
def test_the_samples_of_very_many_gpus_are_bounded(count: int, kept: int) -> None:
    hardware = RunHardware()
    for second in range(0, 1810, 10):
        gpus = [replace(WORKING, index=index) for index in range(count)]
        hardware._add("gpu01", gpus, None, START + second)
        if count > 1000 and second > 700:
            break
    histories = hardware._gpus.values()
    assert sum(len(one.samples) for one in histories) == pytest.approx(kept, rel=0.02)
    assert all(len(one.memory) <= 31 for one in histories)


def test_readings_of_a_tracker_are_judged_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "run")
    scene.hardware.latest = HardwareReading()
    begin = scene.now
    for second in range(0, 1800, 10):
        scene.now = begin + second
        gpus = {
            f"system/gpu.{at}.{name}": value
            for at in range(8)
            for name, value in (("gpu", 98.0), ("powerWatts", 500.0), ("temp", 60.0))
        }
        slow = {f"system/gpu.{at}.smClock": 1200.0 if at == 6 else 1755.0 for at in range(8)}
        scene.log(1, **gpus, **slow)
    [run] = Monitor([scene.run], clock=lambda: scene.now).drain().runs
    found = [one for one in run.diagnosis.findings if one.code == "slow_gpu"]
    assert [one.facts["gpu"] for one in found] == ["GPU 6"]
    [old] = Monitor([scene.run], clock=lambda: scene.now + 3000).drain().runs
    assert "slow_gpu" not in codes(old)


@pytest.fixture
def gpus(driver: FakeNvml) -> Iterator[Gpus]:
    watched = Gpus(Processes())
    yield watched
    watched.close()


@pytest.mark.parametrize("count", [8, 16])
def test_a_hang_is_found_through_the_driver(
    scene: Scene, gpus: Gpus, driver: FakeNvml, count: int
) -> None:
    """In a container that hides processes: GPUs with memory in use count."""

    def play(seconds: int, pace: float | None) -> RunSnapshot:
        for _ in range(0, seconds, 20):
            reading, note = gpus.sample(scene.now)
            scene.hardware.latest = HardwareReading(reading, note, HOST)
            run = scene.play(20, pace)
        return run

    driver.says(f"gpus {count}", "watts 640000")
    assert "hung_collective" not in codes(play(400, 10))
    driver.says(f"gpus {count}", "watts 120000", "busy 99")
    found = play(500, None).diagnosis.verdict
    assert (found.code, found.facts["gpus"]) == ("hung_collective", count)


def test_a_finding_leads_where_it_matters_more_than_the_curve() -> None:
    def finding(code: str, severity: Severity) -> Finding:
        return Finding(code, severity, 0, Confidence.HIGH)

    def badge(curve: Finding, hardware: Finding) -> str:
        return with_findings(Diagnosis(curve, (curve,), ()), (hardware,)).verdict.code

    slow, gone = finding("slow_gpu", Severity.WARNING), finding("process_gone", Severity.NOTICE)
    assert badge(finding("healthy", Severity.OK), slow) == "slow_gpu"
    assert badge(finding("non_finite", Severity.CRITICAL), gone) == "non_finite"
    stalled = finding("stalled", Severity.WARNING)
    assert badge(stalled, slow) == "stalled"
    assert badge(stalled, gone) == "process_gone"
