"""Checks of the hardware: does the NVIDIA driver answer?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lossmon.doctor.result import CheckResult, good, note
from lossmon.types import HardwareReading

PATIENCE = 5.0
"""Seconds that the driver may take to answer; a sick one takes for ever."""


def check_hardware(paths: Sequence[Path]) -> Iterator[CheckResult]:
    """GPUs through NVML."""
    import threading

    from lossmon.hardware.sampler import HardwareSampler

    changed = threading.Event()
    sampler = HardwareSampler(paths, on_change=changed)
    sampler.start()
    try:
        end = time.monotonic() + PATIENCE
        while not _has_answered(sampler.latest) and time.monotonic() < end:
            changed.wait(0.1)
            changed.clear()
        yield examine(sampler.latest)
    finally:
        sampler.stop()


def _has_answered(reading: HardwareReading) -> bool:
    return bool(reading.gpus or reading.note)


def examine(reading: HardwareReading) -> CheckResult:
    """What a reading says of the driver."""
    if reading.gpus:
        lost = [str(gpu.index) for gpu in reading.gpus if gpu.lost]
        names = ", ".join(dict.fromkeys(gpu.name for gpu in reading.gpus))
        text = f"{len(reading.gpus)} x {names}"
        if lost:
            remedy = "see `nvidia-smi` and `dmesg | grep -i xid`; the machine may need a restart"
            return note("GPUs", f"{text}; GPU {', '.join(lost)} does not answer", remedy)
        return good("GPUs", text)
    if reading.note:
        remedy = "ignore this if the machine has no NVIDIA GPU; otherwise run `nvidia-smi`"
        return note("GPUs", reading.note, remedy)
    remedy = "the driver hangs; `nvidia-smi` will too, and the machine may need a restart"
    return note("GPUs", f"the driver has not answered within {PATIENCE:g} s", remedy)
