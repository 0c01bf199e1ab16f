"""The hardware that a run's own tracker recorded."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossmon.hardware.recorded import age, recorded
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Series
from lossmon.types.hardware import is_recorded

GIB = 1 << 30


def series(tag: str, *values: float, source: str = "wandb", wall: float = 1000.0) -> Series:
    n = len(values)
    return Series(
        tag,
        meaning(tag, source=source),
        source=source,
        steps=np.arange(n),
        values=np.array(values, np.float64),
        wall_times=np.full(n, wall),
        n=n,
        last=values[-1] if values else math.nan,
    )


TRACKERS = {
    "wandb": {
        "gpu.0.gpu": 90.0,
        "gpu.0.memoryAllocatedBytes": 20.0 * GIB,
        "gpu.0.memoryAllocated": 25.0,
        "gpu.0.temp": 61.0,
        "gpu.0.powerWatts": 300.0,
        "process.gpu.0.gpu": 12.0,
        "gpu.0.memory": 7.0,
    },
    "swanlab": {
        "gpu.0.pct": 90.0,
        "gpu.0.mem.value": 20.0 * 1024,
        "gpu.0.mem.pct": 25.0,
        "gpu.0.temp": 61.0,
        "gpu.0.power": 300.0,
    },
    "trackio": {
        "gpu/0/utilization": 90.0,
        "gpu/0/allocated_memory": 20.0,
        "gpu/0/total_memory": 80.0,
        "gpu/0/temp": 61.0,
        "gpu/0/power": 300.0,
    },
}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_gpu_is_read_in_the_names_of_each_tracker(tracker: str) -> None:
    told = [
        series(f"system/{name}", value, source=tracker) for name, value in TRACKERS[tracker].items()
    ]
    found = recorded(told, 1020.0)
    assert found is not None
    (gpu,) = found.gpus
    assert (gpu.utilization, gpu.temperature, gpu.power) == (90.0, 61.0, 300.0)
    assert (gpu.memory_used, gpu.memory_total) == (20 * GIB, 80 * GIB)
    assert found.note == f"recorded by {tracker}, 15 s ago"


def test_gpus_stand_in_the_order_of_their_index_with_their_past() -> None:
    told = [series(f"system/gpu.{index}.gpu", 10.0, 120.0, 30.0) for index in (10, 2)]
    found = recorded(told, 1000.0)
    assert found is not None
    assert [gpu.index for gpu in found.gpus] == [2, 10]
    assert found.gpus[0].utilization_history == (10.0, 100.0, 30.0)


def test_the_host_is_read_as_far_as_it_was_recorded() -> None:
    told = [
        series("system/cpu", 40.0),
        series("system/memory_percent", 25.0),
        series("system/proc.memory.availableMB", 3 * 1024.0),
    ]
    found = recorded(told, 1000.0)
    assert found is not None and found.host is not None
    assert (found.host.cpu, found.host.memory_total) == (40.0, 4 * GIB)
    assert found.host.memory_used == GIB


@pytest.mark.parametrize(
    "tags",
    [[], ["train/loss"], ["system/network.recv"], ["system/gpu.0.fan"], ["system/gpu.x.gpu"]],
)
def test_a_run_without_such_records_gives_no_reading(tags: list[str]) -> None:
    assert recorded([series(tag, 1.0) for tag in tags], 1000.0) is None


def test_what_is_no_number_is_left_out() -> None:
    assert recorded([series("system/gpu.0.gpu", math.nan)], 1000.0) is None
    assert recorded([series("system/gpu.0.gpu")], 1000.0) is None
    found = recorded([series("system/cpu", 5.0, wall=math.nan)], 1000.0)
    assert found is not None and found.note == "recorded by wandb"


def test_a_hostile_index_makes_no_thousand_gpus() -> None:
    told = [series(f"system/gpu.{index}.gpu", 1.0) for index in range(500)]
    found = recorded(told, 1000.0)
    assert found is not None and len(found.gpus) == 64


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, ", just now"),
        (44, ", 30 s ago"),
        (200, ", 3 min ago"),
        (7300, ", 2 h ago"),
        (9 * 86400, ", 9 days ago"),
        (math.nan, ""),
    ],
)
def test_the_age_is_told_in_coarse_steps(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_series_of_the_machine_are_no_metrics_of_the_training() -> None:
    assert is_recorded("system/gpu.0.gpu")
    assert not is_recorded("train/loss")
