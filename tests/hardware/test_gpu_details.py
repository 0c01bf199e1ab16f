"""Links, memory errors, partitions and driver errors of NVIDIA GPUs, by the compiled stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lossmon.hardware.gpu import PROCESSES_EVERY, RETRY, Gpus
from lossmon.hardware.gpu_details import MOST_XIDS
from lossmon.hardware.processes import Processes
from lossmon.types import GpuDetails, GpuPartition, PcieLink
from tests.hardware.conftest import FakeNvml

GIB = 1 << 30


@pytest.fixture
def gpus(driver: FakeNvml) -> Iterator[Gpus]:
    watched = Gpus(Processes())
    yield watched
    watched.close()


def details(gpus: Gpus, now: float = 0.0, gpu: int = 0) -> GpuDetails:
    found = gpus.sample(now)[0][gpu].details
    assert found is not None
    return found


def test_details_are_read_in_si_units(gpus: Gpus) -> None:
    assert details(gpus) == GpuDetails(
        sm_clock_max=1.98e9,
        memory_clock=2.619e9,
        pcie=PcieLink(5, 16, 5, 16),
        ecc_corrected=7,
        ecc_uncorrected=0,
        nvlinks=18,
        nvlinks_total=18,
        fan=45.0,
        encoder=0.0,
        decoder=12.0,
    )


def test_what_degrades_is_seen_at_the_next_look(gpus: Gpus, driver: FakeNvml) -> None:
    details(gpus)
    driver.says("lanes 4", "generation 3", "ecc 2", "remap 3", "links 12")
    assert details(gpus, 1.0).ecc_uncorrected == 0, "such questions are rare"
    now = details(gpus, PROCESSES_EVERY)
    assert now.pcie == PcieLink(3, 4, 5, 16)
    assert (now.ecc_uncorrected, now.remap_pending, now.remap_failed) == (2, True, True)
    assert (now.nvlinks, now.nvlinks_total) == (12, 18)


def test_what_a_driver_does_not_support_is_none(gpus: Gpus, driver: FakeNvml) -> None:
    names = ("pcie", "memory_errors", "nvlink", "mig_mode", "events", "clock")
    names += ("video", "cooling", "throughput")
    driver.says(*(f"{name} 3" for name in names))
    assert details(gpus) == GpuDetails()


def test_the_throughput_of_links_is_what_their_counters_gained(
    gpus: Gpus, driver: FakeNvml
) -> None:
    assert details(gpus).nvlink_sent is None, "one reading is no rate"
    counted = {"sent": 6, "received": 11, "pcie_sent": 6, "pcie_received": 11}
    driver.says(*(f"{name} {count << 20}" for name, count in counted.items()))
    now = details(gpus, 5.0)
    assert (now.nvlink_sent, now.nvlink_received) == (GIB, 2 * GIB)
    assert (now.pcie_sent, now.pcie_received) == (1 << 20, 2 << 20)
    driver.says("sent 0", "received 0")
    assert details(gpus, 10.0).nvlink_sent is None, "the driver was loaded anew"
    driver.says("throughput 3")
    assert details(gpus, 15.0).nvlink_received is None


def test_partitions_are_listed_with_their_memory(gpus: Gpus, driver: FakeNvml) -> None:
    driver.says("gpus 1", "mig 2")
    name = "FAKE H100[31m"
    assert details(gpus).partitions == (
        GpuPartition(0, name, 61 * GIB, 80 * GIB),
        GpuPartition(1, name, 61 * GIB, 80 * GIB),
    )


@pytest.mark.parametrize("count", [1, 8, 16])
def test_errors_of_the_driver_are_those_of_one_gpu(
    gpus: Gpus, driver: FakeNvml, count: int
) -> None:
    gpus.sample(0.0)
    driver.says(f"gpus {count}")
    gpus.close()
    gpus.sample(RETRY)
    last = count - 1
    driver.says(f"gpus {count}", f"xid 63 {last}", f"xid 79 {last}")
    found = [one.details.xids for one in gpus.sample(RETRY + 1)[0] if one.details]
    assert found == [()] * last + [(63, 79)]
    assert details(gpus, RETRY + 2, last).xids == (63, 79), "once each"


def test_the_error_of_a_lost_gpu_stays_and_errors_are_bounded(gpus: Gpus, driver: FakeNvml) -> None:
    gpus.sample(0.0)
    driver.says("lost 0", *(f"xid {code} 0" for code in range(MOST_XIDS)), "xid 79 0")
    gpus.sample(1.0)
    reading = gpus.sample(RETRY + 1)[0][0]
    assert reading.lost and reading.details
    assert reading.details.xids == (*range(1, MOST_XIDS), 79)
