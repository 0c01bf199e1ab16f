"""What is read from AMD SMI, by a module of its interface: versions 6 and 7, and its faults."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lossmon.hardware.amd import AmdGpus
from lossmon.hardware.gpu import PROCESSES_EVERY, RETRY
from lossmon.hardware.processes import Processes
from lossmon.types import GpuProcess, PcieLink

GIB = 1 << 30
NA = "N/A"


class AmdSmiLibraryException(Exception):
    """As AMD SMI raises it where a GPU does not support a question."""


class FakeAmdSmi(SimpleNamespace):
    """The module `amdsmi` of a machine with two GPUs.

    Attributes:
        answers: What each function returns; one that is missing raises.
    """

    AmdSmiInitFlags = SimpleNamespace(INIT_AMD_GPUS=2)
    AmdSmiTemperatureType = SimpleNamespace(EDGE=0, HOTSPOT=1, JUNCTION=1)
    AmdSmiTemperatureMetric = SimpleNamespace(CURRENT=0)
    AmdSmiClkType = SimpleNamespace(SYS=0, GFX=0)

    def __init__(self, **answers: Any) -> None:
        super().__init__(answers=answers, is_open=False, has_driver=True)

    def amdsmi_init(self, flags: int) -> None:
        assert flags == self.AmdSmiInitFlags.INIT_AMD_GPUS
        if not self.has_driver:
            raise AmdSmiLibraryException("AMDSMI_STATUS_DRIVER_NOT_LOADED")
        self.is_open = True

    def amdsmi_shut_down(self) -> None:
        self.is_open = False

    def amdsmi_get_processor_handles(self) -> list[str]:
        return ["gpu0", "gpu1"]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("amdsmi_"):
            raise AttributeError(name)

        def answer(handle: str, *arguments: int) -> Any:
            assert self.is_open and handle in ("gpu0", "gpu1")
            if name not in self.answers:
                raise AmdSmiLibraryException("AMDSMI_STATUS_NOT_SUPPORTED")
            return self.answers[name]

        return answer


VERSION_7 = {
    "amdsmi_get_gpu_asic_info": {"market_name": "AMD Instinct MI300X"},
    "amdsmi_get_gpu_activity": {"gfx_activity": 93, "umc_activity": 40, "mm_activity": NA},
    "amdsmi_get_gpu_vram_usage": {"vram_total": 196608, "vram_used": 65536},
    "amdsmi_get_power_info": {
        "socket_power": 612,
        "current_socket_power": 612,
        "average_socket_power": NA,
        "power_limit": 750_000_000,
    },
    "amdsmi_get_temp_metric": 71,
    "amdsmi_get_clock_info": {"clk": 2090, "min_clk": 132, "max_clk": 2100},
    "amdsmi_get_gpu_total_ecc_count": {"correctable_count": 3, "uncorrectable_count": 1},
    "amdsmi_get_pcie_info": {
        "pcie_static": {"max_pcie_width": 16, "pcie_interface_version": 5},
        "pcie_metric": {"pcie_width": 8, "pcie_speed": 16000},
    },
    "amdsmi_get_gpu_process_list": [
        {"pid": 4000001, "name": "python3", "memory_usage": {"vram_mem": 60 * GIB}},
        {"pid": 4000002, "name": NA, "memory_usage": {"vram_mem": 0}},
    ],
}
VERSION_6 = {
    "amdsmi_get_gpu_activity": {"gfx_activity": 93},
    "amdsmi_get_power_info": {
        "current_socket_power": NA,
        "average_socket_power": 290,
        "power_limit": 300,
    },
    "amdsmi_get_temp_metric": 71000,
    "amdsmi_get_clock_info": {"cur_clk": 1700},
}


def gpus(monkeypatch: pytest.MonkeyPatch, smi: object) -> AmdGpus:
    monkeypatch.setitem(sys.modules, "amdsmi", smi)
    return AmdGpus(Processes())


def test_every_field_is_read_in_si_units(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = gpus(monkeypatch, FakeAmdSmi(**VERSION_7)).sample(0.0, first=2)
    assert (first.index, second.index, first.name) == (2, 3, "AMD Instinct MI300X")
    assert (first.utilization, first.utilization_history) == (93.0, (93.0,))
    assert (first.memory_used, first.memory_total) == (64 * GIB, 192 * GIB)
    assert (first.power, first.power_limit, first.temperature) == (612.0, 750.0, 71.0)
    assert first.sm_clock == 2.09e9 and not first.lost
    assert first.processes == (GpuProcess(4000001, "", 60 * GIB),)
    assert first.details is not None
    assert first.details.pcie == PcieLink(4, 8, 5, 16)
    assert (first.details.ecc_corrected, first.details.ecc_uncorrected) == (3, 1)


def test_an_older_version_has_other_names_and_units(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = gpus(monkeypatch, FakeAmdSmi(**VERSION_6)).sample(0.0)
    assert (first.name, first.memory_used, first.processes) == ("AMD GPU", None, ())
    assert (first.power, first.power_limit, first.temperature) == (290.0, 300.0, 71.0)
    assert first.sm_clock == 1.7e9


def test_a_gpu_that_answers_nothing_is_lost_until_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    smi = FakeAmdSmi(**VERSION_7)
    watched = gpus(monkeypatch, smi)
    watched.sample(0.0)
    answers, smi.answers = smi.answers, {}
    assert all(one.lost for one in watched.sample(PROCESSES_EVERY))
    smi.answers = answers
    assert not any(one.lost for one in watched.sample(PROCESSES_EVERY + 1))
    watched.close()
    assert not smi.is_open


def test_without_the_module_or_its_driver_there_are_no_gpus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert gpus(monkeypatch, None).sample(0.0) == ()
    smi = FakeAmdSmi(**VERSION_7)
    smi.has_driver = False
    watched = gpus(monkeypatch, smi)
    assert watched.sample(0.0) == ()
    smi.has_driver = True
    assert watched.sample(RETRY - 1) == ()
    assert len(watched.sample(RETRY)) == 2
