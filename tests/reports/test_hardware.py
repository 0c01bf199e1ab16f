"""The hardware of runs without a screen: as text, as JSON, once and again and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.reports.hardware import gpu_record, hardware_lines, hardware_record
from lossmon.types import (
    Confidence,
    Diagnosis,
    Finding,
    GpuDetails,
    GpuPartition,
    GpuReading,
    HardwareReading,
    HostReading,
    NodeReading,
    PcieLink,
    RunSnapshot,
    Severity,
    Snapshot,
)
from tests.hardware.conftest import FakeNvml, compiled, driver

__all__ = ["compiled", "driver"]

DETAILS = GpuDetails(
    pcie=PcieLink(5, 8, 5, 16),
    ecc_uncorrected=2,
    nvlinks=17,
    nvlinks_total=18,
    nvlink_sent=12.3e9,
    nvlink_received=9.8e9,
    pcie_sent=1.2e9,
    pcie_received=4.5e9,
    fan=45.0,
    decoder=7.0,
    xids=(63, 79),
    partitions=(GpuPartition(0, "MIG 1g.10gb", 1 << 30, 10 << 30),),
)
GPU = GpuReading(
    *(1, "NVIDIA H100", 97.0, 60 << 30, 80 << 30, 650.0, 700.0, 62.0, 1.755e9),
    throttle_reasons=("SW thermal",),
    details=DETAILS,
)
HOST = HostReading("gpu01", 34.4, 64, 100 << 30, 500 << 30, 800 << 30, 1000 << 30)
SLOW = Finding(
    *("slow_gpu", Severity.WARNING, 70, Confidence.MEDIUM),
    {"gpu": "GPU 1", "mhz": 1200, "usual_mhz": 1755, "count": 7, "below_percent": 31.6},
)
RUN = RunSnapshot(
    "tune",
    Path("/data/tune"),
    diagnosis=Diagnosis(SLOW, (SLOW, Finding("healthy", Severity.OK, 0, Confidence.HIGH)), ()),
    nodes=(NodeReading("gpu02", 5.0, (GpuReading(0, "H100", lost=True),), None, stale=True),),
)
SNAPSHOT = Snapshot(9.0, (RUN,), HardwareReading((GPU,), "", HOST))


def test_all_that_is_known_is_printed() -> None:
    assert hardware_lines(SNAPSHOT, "en") == [
        "gpu01: CPU 34 % of 64 cores, memory 100.0/500.0 GiB, disk 800.0 GiB free",
        "GPU 1 NVIDIA H100: 97 %, 60.0/80.0 GiB, 650/700 W, 62 °C, 1755 MHz, SW thermal, "
        "PCIe 5 x8, PCIe out 1.2 GB/s, in 4.5 GB/s, NVLink 17/18, "
        "NVLink out 12.3 GB/s, in 9.8 GB/s, fan 45 %, encoder 0 %, decoder 7 %, "
        "2 uncorrected ECC errors, Xid 63, 79, MIG 1g.10gb 1.0/10.0 GiB",
        "tune:",
        "  SLOW GPU: GPU 1 at 1,200 MHz, the 7 others at 1,755: 32% below",
        "  gpu02, stale",
        "    GPU 0 H100: does not answer",
    ]


def test_the_record_has_every_reading_and_the_findings_about_hardware_alone() -> None:
    record = json.loads(json.dumps(hardware_record(SNAPSHOT, "en"), allow_nan=False))
    [run] = record["runs"]
    assert [finding["code"] for finding in run["findings"]] == ["slow_gpu"]
    assert [node["gpus"][0]["lost"] for node in run["nodes"]] == [True]
    [gpu] = record["gpus"]
    assert gpu["details"]["pcie"] == {
        "generation": 5, "width": 8, "max_generation": 5, "max_width": 16
    }  # fmt: skip
    assert gpu["details"]["xids"] == [63, 79]
    assert gpu_record(GpuReading(0, "?", power=float("nan")))["power"] is None


def test_this_machine_is_printed_once(driver: FakeNvml, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hardware", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["host"]["cpu"] is not None and record["runs"] == []
    assert main(["hardware", "no-such-run"]) == 2


def test_it_watches_until_it_is_told_to_end(driver: FakeNvml, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"step": 1, "loss": 2.5}\n')
    command = [sys.executable, "-m", "lossmon", "hardware", str(tmp_path), "--json", "--watch"]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver.library.parent)}
    with subprocess.Popen(
        [*command, "--interval", "0.1s"], env=environment, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        records = [json.loads(program.stdout.readline()) for _ in range(2)]
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    assert [len(record["gpus"]) for record in records][-1] == 2
    assert [run["path"] for run in records[0]["runs"]] == [str(tmp_path)]
