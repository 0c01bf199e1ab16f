"""The threads that sample: what they publish, and that nothing they do is felt."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lossmon.hardware import sampler as module
from lossmon.hardware.processes import Processes
from lossmon.hardware.sampler import HANGING, HardwareSampler, settle
from lossmon.types import HardwareReading
from tests.hardware.conftest import FakeNvml


@pytest.fixture
def changed() -> threading.Event:
    return threading.Event()


@pytest.fixture
def sampler(
    driver: FakeNvml, tmp_path: Path, changed: threading.Event
) -> Iterator[HardwareSampler]:
    watched = HardwareSampler([tmp_path], interval=0.01, on_change=changed)
    yield watched
    watched.stop()


def wait_for(
    sampler: HardwareSampler,
    changed: threading.Event,
    condition: Callable[[HardwareReading], bool],
) -> HardwareReading:
    """Return the first reading that fulfils a condition."""
    limit = time.monotonic() + 20
    while not condition(sampler.latest):
        assert changed.wait(limit - time.monotonic()), sampler.latest
        changed.clear()
    return sampler.latest


def test_a_reading_has_gpus_host_and_disk(
    sampler: HardwareSampler, changed: threading.Event
) -> None:
    assert sampler.latest == HardwareReading()
    sampler.start()
    reading = wait_for(
        sampler, changed, lambda new: bool(new.gpus and new.host and new.host.disk_total)
    )
    assert reading.note == ""
    assert [gpu.index for gpu in reading.gpus] == [0, 1]


def test_a_changed_gpu_is_published(
    sampler: HardwareSampler, changed: threading.Event, driver: FakeNvml
) -> None:
    sampler.start()
    wait_for(sampler, changed, lambda new: bool(new.gpus))
    driver.says("busy 10")
    wait_for(sampler, changed, lambda new: new.gpus[0].utilization == 11.0)


def test_a_driver_that_hangs_is_said_and_the_host_goes_on(
    sampler: HardwareSampler,
    changed: threading.Event,
    driver: FakeNvml,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNANSWERED", 0.05)
    sampler.start()
    wait_for(sampler, changed, lambda new: bool(new.gpus))
    driver.says("hang 400")
    reading = wait_for(sampler, changed, lambda new: new.note == HANGING)
    assert all(gpu.lost for gpu in reading.gpus)
    driver.says()
    reading = wait_for(sampler, changed, lambda new: not new.note)
    assert not any(gpu.lost for gpu in reading.gpus)


def test_setting_idle_to_false_takes_a_sample_at_once(
    driver: FakeNvml, tmp_path: Path, changed: threading.Event
) -> None:
    sampler = HardwareSampler([tmp_path], interval=1000.0, on_change=changed)
    sampler.idle = True
    sampler.start()
    wait_for(sampler, changed, lambda new: bool(new.gpus))
    driver.says("busy 10")
    sampler.idle = False
    wait_for(sampler, changed, lambda new: new.gpus[0].utilization == 11.0)
    sampler.stop()


def test_cpu_use_is_known_soon_though_no_run_is_alive(
    sampler: HardwareSampler, changed: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_INTERVAL", 1000.0)
    sampler.idle = True
    sampler.start()
    wait_for(sampler, changed, lambda new: bool(new.host and new.host.cpu is not None))


def test_another_place_is_looked_at_at_once(
    driver: FakeNvml, tmp_path: Path, changed: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "disk", lambda paths: (len(paths), 100))
    sampler = HardwareSampler([], interval=1000.0, on_change=changed)
    sampler.start()
    wait_for(sampler, changed, lambda new: bool(new.host and new.host.disk_free == 0))
    sampler.update([tmp_path])
    wait_for(sampler, changed, lambda new: bool(new.host and new.host.disk_free == 1))
    sampler.stop()


def test_the_training_that_we_watch_is_marked(
    driver: FakeNvml,
    tmp_path: Path,
    changed: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    program = "print(flush=True); import sys; sys.stdin.read()"
    monkeypatch.setattr(Processes, "_visible", Processes._process)
    monkeypatch.setattr("lossmon.hardware.gpu.PROCESSES_EVERY", 0.0)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path / "run",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None and child.stdout.readline()
        driver.says(f"process {child.pid} 0 100", f"process {os.getppid()} 0 50")
        sampler = HardwareSampler([tmp_path / "link"], interval=0.01, on_change=changed)
        sampler.start()
        wait_for(
            sampler,
            changed,
            lambda new: (
                bool(new.gpus)
                and [process.own for process in new.gpus[0].processes] == [True, False]
            ),
        )
        sampler.stop()
        child.communicate()


def test_the_same_object_stays_while_nothing_worth_a_look_changes(
    sampler: HardwareSampler, changed: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = threading.Semaphore(0)

    def count(*arguments: HardwareReading, idle: bool) -> HardwareReading:
        samples.release()
        return settle(*arguments, idle=idle)

    # What this machine does meanwhile is not the matter here.
    monkeypatch.setattr("lossmon.hardware.sampler.LIVE_CPU", 1000.0)
    monkeypatch.setattr("lossmon.hardware.sampler.MEMORY_SHARE", 2.0)
    monkeypatch.setattr("lossmon.hardware.sampler.DISK_SHARE", 2.0)
    sampler.start()
    wait_for(sampler, changed, lambda new: bool(new.gpus and new.host and new.host.cpu is not None))
    settled = sampler.latest
    monkeypatch.setattr(module, "settle", count)
    for _ in range(10):
        assert samples.acquire(timeout=20)
    assert sampler.latest is settled


def test_a_fault_of_ours_is_said_and_does_not_end_the_rest(
    sampler: HardwareSampler, changed: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "disk", fail)
    sampler.start()
    reading = wait_for(sampler, changed, lambda new: bool(new.gpus and new.host and new.note))
    assert "ZeroDivisionError" in reading.note


def test_a_second_start_and_stop_do_nothing(sampler: HardwareSampler) -> None:
    before = threading.active_count()
    sampler.start()
    sampler.start()
    assert threading.active_count() <= before + 3
    sampler.stop()
    sampler.stop()


SCRIPT = """
import sys
from pathlib import Path
from lossmon.hardware.sampler import settle
from lossmon.hardware.processes import Processes
from lossmon.hardware.sampler import HardwareSampler

sampler = HardwareSampler([Path.cwd()])
sampler.start()
print("started", flush=True)
sys.stdin.readline()
sampler.stop()
"""


def test_a_driver_that_never_answers_does_not_hold_up_the_end(
    driver: FakeNvml, tmp_path: Path
) -> None:
    driver.says("hang 600000")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver.library.parent)}
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        child.stdout.readline()
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert child.wait(60) == 0


def test_importing_the_sampler_loads_neither_pynvml_nor_psutil() -> None:
    program = (
        "import sys, lossmon.hardware.sampler;"
        "print({'pynvml', 'psutil', 'textual'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout == "set()\n"
