"""What counts as a change of the hardware."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lossmon.hardware.sampler import settle
from lossmon.types import GpuReading, HardwareReading, HostReading

GIB = 1 << 30
HOST = HostReading(
    "node",
    cpu=40.0,
    cpu_count=8,
    memory_used=10 * GIB,
    memory_total=100 * GIB,
    disk_free=500 * GIB,
    disk_total=1000 * GIB,
)
GPU = GpuReading(
    0,
    "H100",
    utilization=0.0,
    power=70.0,
    temperature=31.0,
    utilization_history=(0.0, 0.0),
)
SHOWN = HardwareReading((GPU,), "", HOST)


@pytest.mark.parametrize("idle", [False, True], ids=["live", "idle"])
@pytest.mark.parametrize(
    "noise",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"cpu": 42.9}, id="two points of CPU"),
        pytest.param({"memory_used": int(10.9 * GIB)}, id="less than 1 % of memory"),
        pytest.param({"disk_free": int(499.1 * GIB)}, id="less than 0.1 % of the disk"),
        pytest.param({"cpu": 37.2, "memory_used": int(9.2 * GIB)}, id="several together"),
    ],
)
def test_noise_leaves_the_very_object_that_is_shown(noise: dict[str, float], idle: bool) -> None:
    fresh = HardwareReading((GPU,), "", replace(HOST, **noise))  # type: ignore[arg-type]
    assert settle(SHOWN, fresh, idle=idle) is SHOWN


@pytest.mark.parametrize(
    "news",
    [
        pytest.param({"cpu": 43.0}, id="three points of CPU"),
        pytest.param({"memory_used": 11 * GIB}, id="1 % of memory"),
        pytest.param({"disk_free": 499 * GIB}, id="0.1 % of the disk"),
        pytest.param({"cpu_count": 4}, id="other cores"),
        pytest.param({"cpu": None}, id="no value any more"),
    ],
)
def test_news_is_shown(news: dict[str, float]) -> None:
    fresh = HardwareReading((GPU,), "", replace(HOST, **news))  # type: ignore[arg-type]
    assert settle(SHOWN, fresh, idle=False) == fresh


def test_an_idle_machine_must_get_busy_to_be_news() -> None:
    busier = HardwareReading((GPU,), "", replace(HOST, cpu=49.0))
    assert settle(SHOWN, busier, idle=True) is SHOWN
    busy = HardwareReading((GPU,), "", replace(HOST, cpu=50.0))
    assert settle(SHOWN, busy, idle=True) == busy


def test_a_slow_drift_is_not_missed() -> None:
    shown = SHOWN
    for percent in range(40, 61):
        fresh = HardwareReading((GPU,), "", replace(HOST, cpu=float(percent)))
        shown = settle(shown, fresh, idle=False)
    assert shown.host is not None and shown.host.cpu == pytest.approx(60, abs=3)


def test_what_did_not_change_keeps_its_digits_when_something_else_does() -> None:
    fresh = HardwareReading((GPU,), "", replace(HOST, cpu=90.0, memory_used=int(10.5 * GIB)))
    settled = settle(SHOWN, fresh, idle=False)
    assert settled.host == replace(HOST, cpu=90.0)


def test_a_live_gpu_is_shown_to_the_digit() -> None:
    fresh = HardwareReading((replace(GPU, power=71.0),), "", HOST)
    assert settle(SHOWN, fresh, idle=False) == fresh


def test_an_idle_gpu_may_drift() -> None:
    drifted = replace(GPU, power=74.0, temperature=32.0, utilization_history=(0.0,) * 3)
    assert settle(SHOWN, HardwareReading((drifted,), "", HOST), idle=True) is SHOWN
    woken = replace(GPU, utilization=30.0, utilization_history=(0.0, 0.0, 30.0))
    settled = settle(SHOWN, HardwareReading((woken,), "", HOST), idle=True)
    assert settled.gpus == (woken,)


def test_a_line_of_equal_bars_that_grows_is_no_news() -> None:
    longer = replace(GPU, utilization_history=(0.0,) * 30)
    assert settle(SHOWN, HardwareReading((longer,), "", HOST), idle=False) is SHOWN
    uneven = replace(GPU, utilization_history=(0.0,) * 30 + (5.0,))
    settled = settle(SHOWN, HardwareReading((uneven,), "", HOST), idle=False)
    assert settled.gpus[0].utilization_history == uneven.utilization_history


@pytest.mark.parametrize("idle", [False, True])
def test_gpus_that_come_or_go_and_notes_are_news(idle: bool) -> None:
    for fresh in (
        HardwareReading((), "no NVIDIA driver on this machine", HOST),
        HardwareReading((GPU, replace(GPU, index=1)), "", HOST),
        HardwareReading((replace(GPU, lost=True),), "", HOST),
    ):
        assert settle(SHOWN, fresh, idle=idle) == fresh


def test_a_host_that_was_not_sampled_yet_takes_nothing_away() -> None:
    assert settle(SHOWN, HardwareReading((GPU,), "", None), idle=False) is SHOWN
