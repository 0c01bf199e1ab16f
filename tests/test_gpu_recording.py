"""The recorded GPU of the pictures."""

from __future__ import annotations

from benchmarks.gpu_recording import reading_at, readings
from benchmarks.screenshots import with_recorded_gpu
from lossmon.types import HardwareReading, HostReading


def test_the_recording_is_replayed_from_its_start_to_its_end() -> None:
    found = readings()
    assert len(found) == 50
    assert reading_at(0.0) is found[0] and reading_at(1.0) is found[-1] is reading_at(2.0)
    assert len(found[-1].utilization_history) == 50
    # Cold at first, then as warm as it gets: as the original.
    assert found[0].temperature == 43 and found[-1].temperature == 58


def test_a_picture_names_the_recording_and_not_the_machine() -> None:
    reading = with_recorded_gpu(HardwareReading((), "no driver", HostReading("secret")), 0.5)
    assert reading.host is not None and reading.host.name == "train-07"
    assert "recording" in reading.note and len(reading.gpus) == 1
