"""Recorded quantities: what a tracker's series of the machine measures, in words and units."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.recorded import gpu_field, host_field
from lossmon.types.hardware import PREFIX

_GIB = float(1 << 30)


@dataclass(frozen=True, slots=True)
class RecordedQuantity:
    """A quantity of the training machine.

    Attributes:
        device: `GPU0`, the name of a disk, or empty for the machine.
        words: What is measured, in English.
        unit: Unit of the scaled values, empty for a count.
        factor: Factor from recorded to scaled values.
    """

    device: str
    words: str
    unit: str = ""
    factor: float = 1.0


_FIELDS: Mapping[str, tuple[str, str, float]] = {
    "utilization": ("load", "%", 1.0),
    "memory_load": ("memory load", "%", 1.0),
    "memory_percent": ("memory", "%", 1.0),
    "memory_used": ("memory", "GiB", 1 / _GIB),
    "memory_total": ("memory size", "GiB", 1 / _GIB),
    "memory_free": ("free memory", "GiB", 1 / _GIB),
    "temperature": ("temperature", "°C", 1.0),
    "power": ("power", "W", 1.0),
    "power_percent": ("power", "%", 1.0),
    "power_limit": ("power limit", "W", 1.0),
    "sm_clock": ("SM clock", "MHz", 1e-6),
    "memory_clock": ("memory clock", "MHz", 1e-6),
    "cpu": ("CPU load", "%", 1.0),
}
"""Words, unit, and factor from SI units, by the field of a reading."""

_HOST_WORDS = {"memory": "RAM", "memory size": "RAM size", "free memory": "free RAM"}
"""Words of the quantities whose words differ for the host."""

_PROCESS_WORDS = {"load": "process load", "memory": "process memory"}
"""Words of the quantities of a GPU that one process has as well."""

_OTHERS: tuple[tuple[re.Pattern[str], str, str, float], ...] = tuple(
    (re.compile(pattern), words, unit, factor)
    for pattern, words, unit, factor in (
        (r"proc\.memory\.rssMB", "process RAM", "GiB", 1 / 1024),
        (r"proc\.memory\.percent", "process RAM", "%", 1.0),
        (r"proc\.cpu\.threads", "process threads", "", 1.0),
        (r"network\.recv", "network received", "MB", 1e-6),
        (r"network\.sent", "network sent", "MB", 1e-6),
        (r"network_receive_megabytes", "network received", "MB", 1.0),
        (r"network_transmit_megabytes", "network sent", "MB", 1.0),
        (r"disk\.(.+)\.usagePercent", "disk used", "%", 1.0),
        (r"disk\.(.+)\.usageGB", "disk used", "GB", 1.0),
        (r"disk\.(.+)\.in", "disk read", "MB", 1.0),
        (r"disk\.(.+)\.out", "disk written", "MB", 1.0),
        (r"disk_usage_percentage", "disk used", "%", 1.0),
        (r"disk_usage_megabytes", "disk used", "MB", 1.0),
        (r"disk_available_megabytes", "disk free", "MB", 1.0),
    )
)
"""Quantities that no reading has: name, words, unit, factor."""


def recorded_quantity(key: str) -> RecordedQuantity | None:
    """What a series of this canonical name measures; None for a name that is not known."""
    name = key.removeprefix(PREFIX)
    if found := gpu_field(name):
        index, field, factor = found
        words, unit, scale = _FIELDS[field]
        if name.startswith("process."):
            words = _PROCESS_WORDS.get(words, words)
        return RecordedQuantity(f"GPU{index}", words, unit, factor * scale)
    if host := host_field(name):
        words, unit, scale = _FIELDS[host[0]]
        return RecordedQuantity("", _HOST_WORDS.get(words, words), unit, host[1] * scale)
    for pattern, words, unit, factor in _OTHERS:
        if matched := pattern.fullmatch(name):
            device = "".join(matched.groups()).strip("./")
            return RecordedQuantity(device, words, unit, factor)
    return None
