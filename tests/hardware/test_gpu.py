"""What is read from NVML, and what becomes of it when the driver is ill."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

from lossmon.hardware.gpu import HISTORY, PROCESSES_EVERY, RETRY, Gpus
from lossmon.hardware.processes import Processes
from lossmon.types import GpuProcess
from tests.hardware.conftest import FakeNvml

GIB = 1 << 30


@pytest.fixture
def gpus(driver: FakeNvml) -> Iterator[Gpus]:
    watched = Gpus(Processes())
    yield watched
    watched.close()


def test_every_field_is_read_in_si_units(gpus: Gpus) -> None:
    (first, second), note = gpus.sample(0.0)
    assert note == ""
    assert (first.index, second.index) == (0, 1)
    assert first.name == "FAKE H100[31m", "without the escape character"
    assert first.utilization == 81.0
    assert (first.memory_used, first.memory_total) == (60 * GIB, 80 * GIB)
    assert (first.power, first.power_limit) == (412.0, 700.0)
    assert first.temperature == 66.0
    assert first.sm_clock == 1.755e9
    assert first.throttle_reasons == ()
    assert not first.lost


@pytest.mark.parametrize("driver", ["OLD_DRIVER"], indirect=True)
def test_an_old_driver_is_asked_under_its_old_names(gpus: Gpus, driver: FakeNvml) -> None:
    driver.says("reasons 32", "process 4000000 0 512")
    first = gpus.sample(0.0)[0][0]
    assert first.memory_used == 61 * GIB
    assert first.throttle_reasons == ("SW thermal",)
    assert first.processes == (GpuProcess(4000000, "", 512 << 20),)


def test_eight_gpus_are_eight_readings(gpus: Gpus, driver: FakeNvml) -> None:
    driver.says("gpus 8")
    readings = gpus.sample(0.0)[0]
    assert [reading.utilization for reading in readings] == [81.0 + index for index in range(8)]


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        pytest.param(0x1, (), id="idle is no reason"),
        pytest.param(0x2 | 0x100, (), id="nor are clocks that somebody set"),
        pytest.param(0x4, ("power cap",), id="power cap"),
        pytest.param(
            0x4 | 0x20 | 0x40, ("HW thermal", "SW thermal", "power cap"), id="worst first"
        ),
        pytest.param(0x8 | 0x80, ("power brake", "HW slowdown"), id="slowed by the board"),
        pytest.param(1 << 40, (), id="a bit nobody knows yet"),
    ],
)
def test_throttle_reasons_are_words(
    gpus: Gpus, driver: FakeNvml, bits: int, words: tuple[str, ...]
) -> None:
    driver.says(f"reasons {bits}")
    assert gpus.sample(0.0)[0][0].throttle_reasons == words


@pytest.mark.parametrize("code", [3, 4, 999], ids=["unsupported", "no permission", "unknown"])
def test_what_a_gpu_does_not_answer_is_none_and_the_rest_stays(
    gpus: Gpus, driver: FakeNvml, code: int
) -> None:
    driver.says(f"power {code}", f"processes {code}", "process 1 0 1")
    readings, note = gpus.sample(0.0)
    assert note == ""
    assert readings[0].power is None and readings[0].power_limit is None
    assert readings[0].processes == ()
    assert readings[0].utilization == 81.0


def test_a_partitioned_gpu_shows_memory_without_utilization(gpus: Gpus, driver: FakeNvml) -> None:
    driver.says("utilization 3", "process 4000000 0 100 1", "process 4000000 0 50 2")
    (first, _), note = gpus.sample(0.0)
    assert note == "" and first.utilization is None and first.utilization_history == ()
    assert first.memory_used == 60 * GIB
    assert first.processes == (GpuProcess(4000000, "", 150 << 20),), "the sum of its partitions"


def test_processes_come_largest_first_and_once(gpus: Gpus, driver: FakeNvml) -> None:
    driver.says(
        "process 4000001 1 100",
        "process 4000002 1 300",
        "graphics 4000002 1 300",
        "process 4000003 1 0",
    )
    first, second = gpus.sample(0.0)[0]
    assert first.processes == ()
    assert second.processes == (
        GpuProcess(4000002, "", 300 << 20),
        GpuProcess(4000001, "", 100 << 20),
        GpuProcess(4000003, "", None),
    )


def test_processes_are_looked_up_rarely(gpus: Gpus, driver: FakeNvml) -> None:
    gpus.sample(0.0)
    driver.says("process 4000001 0 100")
    assert not gpus.sample(PROCESSES_EVERY - 1)[0][0].processes
    assert gpus.sample(PROCESSES_EVERY)[0][0].processes


def test_the_history_is_bounded_and_newest_last(gpus: Gpus, driver: FakeNvml) -> None:
    for second in range(HISTORY + 5):
        driver.says(f"busy {second}")
        reading = gpus.sample(float(second))[0][0]
    assert reading.utilization_history == tuple(float(i) for i in range(6, HISTORY + 6))


def test_a_lost_gpu_stays_marked_while_the_others_go_on_and_returns(
    gpus: Gpus, driver: FakeNvml
) -> None:
    gpus.sample(0.0)
    driver.says("lost 0")
    (first, second), note = gpus.sample(1.0)
    assert (first.lost, first.name, first.utilization) == (True, "FAKE H100[31m", None)
    assert not second.lost and second.utilization == 82.0 and note == ""
    driver.says()
    assert gpus.sample(2.0)[0][0].lost, "it is not asked again at once"
    gpus.sample(RETRY + 1)
    assert not gpus.sample(RETRY + 2)[0][0].lost


def test_a_gpu_that_was_lost_from_the_start_does_not_hide_the_others(
    gpus: Gpus, driver: FakeNvml
) -> None:
    driver.says("lost 1")
    first, second = gpus.sample(0.0)[0]
    assert not first.lost
    assert second.lost and second.name == "NVIDIA GPU"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(4, "no permission", id="no permission"),
        pytest.param(9, "not loaded", id="driver not loaded"),
        pytest.param(12, "no NVIDIA driver", id="no library"),
        pytest.param(18, "versions differ", id="version mismatch"),
        pytest.param(999, "unknown error", id="unknown"),
        pytest.param(17, "operating system", id="any other"),
        pytest.param(77, "fake trouble", id="one that only the library knows"),
    ],
)
def test_a_driver_that_cannot_be_opened_is_one_calm_line_and_is_tried_again_rarely(
    gpus: Gpus, driver: FakeNvml, code: int, words: str
) -> None:
    driver.says(f"init {code}")
    readings, note = gpus.sample(0.0)
    assert readings == () and words in note and "\n" not in note
    driver.says()
    assert gpus.sample(RETRY - 1) == ((), note)
    assert len(gpus.sample(RETRY)[0]) == 2


@pytest.mark.parametrize("code", [1, 9, 18], ids=["reloaded", "unloaded", "other version"])
def test_a_driver_that_goes_in_mid_run_is_one_calm_line_and_comes_back(
    gpus: Gpus, driver: FakeNvml, code: int
) -> None:
    gpus.sample(0.0)
    driver.says(f"all {code}")
    readings, note = gpus.sample(1.0)
    assert readings == () and "NVIDIA" in note
    driver.says()
    assert gpus.sample(2.0) == ((), note)
    readings, note = gpus.sample(RETRY + 1)
    assert len(readings) == 2 and note == ""


def test_a_container_that_loses_its_gpus_gets_a_word(gpus: Gpus, driver: FakeNvml) -> None:
    gpus.sample(0.0)
    driver.says("all 999")
    readings, note = gpus.sample(1.0)
    assert len(readings) == 2 and "no readings" in note


def test_a_machine_whose_driver_sees_no_gpu_says_so(gpus: Gpus, driver: FakeNvml) -> None:
    driver.says("gpus 0")
    assert gpus.sample(0.0) == ((), "no NVIDIA GPU on this machine")


def test_the_library_is_opened_once(gpus: Gpus, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    original = pynvml.nvmlInit
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: opened.append(original()))
    for second in range(200):
        gpus.sample(float(second))
    assert len(opened) == 1


SCRIPT = """
from lossmon.hardware.gpu import Gpus
from lossmon.hardware.processes import Processes
readings, note = Gpus(Processes()).sample(0.0)
print(len(readings), note)
"""


def test_the_binding_finds_the_library_as_it_finds_a_real_one(driver: FakeNvml) -> None:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver.library.parent)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "2 \n"


def test_without_the_binding_the_line_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert "nvidia-ml-py" in Gpus(Processes()).sample(0.0)[1]


def test_the_binding_is_not_imported_where_no_library_can_be_loaded(tmp_path: Path) -> None:
    library = tmp_path / "libnvidia-ml.so.1"
    library.write_text("no library")
    script = f"import sys\n{SCRIPT}\nprint('pynvml' in sys.modules)"
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "0 no NVIDIA driver on this machine\nFalse\n"


def test_without_the_library_there_is_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", absent)
    assert Gpus(Processes()).sample(0.0) == ((), "no NVIDIA driver on this machine")
