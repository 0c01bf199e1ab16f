"""Recorded quantities: words and units of what trackers record of a machine."""

from __future__ import annotations

import pytest

from lossmon.hardware.recorded import recorded_quantity
from lossmon.locale import section


@pytest.mark.parametrize(
    ("key", "recorded", "shown"),
    [
        ("system/gpu.0.powerWatts", 443.0, ("GPU0", "power", "W", 443.0)),
        ("system/gpu.3.memoryAllocatedBytes", 2.0**31, ("GPU3", "memory", "GiB", 2.0)),
        ("system/process.gpu.0.memoryAllocated", 12.0, ("GPU0", "process memory", "%", 12.0)),
        ("system/gpu.0.smClock", 2407.0, ("GPU0", "SM clock", "MHz", 2407.0)),
        ("system/gpu_1_utilization_percentage", 90.0, ("GPU1", "load", "%", 90.0)),
        ("system/proc.memory.availableMB", 2048.0, ("", "free RAM", "GiB", 2.0)),
        ("system/memory_percent", 29.0, ("", "RAM", "%", 29.0)),
        ("system/network.recv", 6e6, ("", "network received", "MB", 6.0)),
        ("system/disk.vda4.in", 10.0, ("vda4", "disk read", "MB", 10.0)),
        ("system/disk./.usagePercent", 98.0, ("", "disk used", "%", 98.0)),
    ],
)
def test_a_recorded_series_has_words_and_a_unit(
    key: str, recorded: float, shown: tuple[str, str, str, float]
) -> None:
    quantity = recorded_quantity(key)
    assert quantity is not None
    value = pytest.approx(recorded * quantity.factor)
    assert (quantity.device, quantity.words, quantity.unit) == shown[:3]
    assert shown[3] == value
    assert quantity.words in section("screen", "zh")


def test_a_name_that_is_not_known_has_no_words() -> None:
    assert recorded_quantity("system/tpu.0.dutyCycle") is None
