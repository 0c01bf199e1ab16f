"""Hardware readings of the training machine that the run's tracker recorded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from lossmon.fast_dataclass import dataclass
from lossmon.types import GpuReading, HardwareReading, HostReading, Series
from lossmon.types.hardware import PREFIX, is_recorded

HISTORY = 60
"""Most utilizations per history: as wide as a sparkline gets."""

MOST_GPUS = 64
"""Most GPUs per reading: more than any node has."""

_GIB = float(1 << 30)
_MIB = float(1 << 20)
_MEGABYTE = 1e6

_GPU = re.compile(r"(?:process\.)?gpu[._/]?(\d{1,4})[._/](.+)")

_DVCLIVE = re.compile(r"((?:gpu|vram)/(?:usage|total) \((?:%|GB)\))/(\d{1,4})")

_GPU_FIELDS: Mapping[str, tuple[str, float]] = {
    # W&B
    "gpu": ("utilization", 1.0),
    "memoryAllocatedBytes": ("memory_used", 1.0),
    "memoryAllocated": ("memory_percent", 1.0),
    "temp": ("temperature", 1.0),
    "powerWatts": ("power", 1.0),
    "enforcedPowerLimitWatts": ("power_limit", 1.0),
    "smClock": ("sm_clock", 1e6),
    "memory": ("memory_load", 1.0),
    "memoryClock": ("memory_clock", 1e6),
    "powerPercent": ("power_percent", 1.0),
    # SwanLab
    "pct": ("utilization", 1.0),
    "mem.pct": ("memory_percent", 1.0),
    "mem.value": ("memory_used", _MIB),
    "power": ("power", 1.0),
    # MLflow
    "utilization_percentage": ("utilization", 1.0),
    "memory_usage_megabytes": ("memory_used", _MEGABYTE),
    "memory_usage_percentage": ("memory_percent", 1.0),
    "power_usage_watts": ("power", 1.0),
    # DVCLive
    "usage (%)": ("utilization", 1.0),
    "vram/usage (%)": ("memory_percent", 1.0),
    "vram/usage (GB)": ("memory_used", _GIB),
    "vram/total (GB)": ("memory_total", _GIB),
    # Trackio
    "utilization": ("utilization", 1.0),
    "allocated_memory": ("memory_used", _GIB),
    "total_memory": ("memory_total", _GIB),
    "power_limit": ("power_limit", 1.0),
    "sm_clock": ("sm_clock", 1e6),
}
"""Field and factor by the name that trackers give to a quantity of a GPU."""

_HOST_FIELDS: Mapping[str, tuple[str, float]] = {
    "cpu": ("cpu", 1.0),
    "cpu.pct": ("cpu", 1.0),
    "cpu_utilization_percentage": ("cpu", 1.0),
    "cpu/usage (%)": ("cpu", 1.0),
    "memory_percent": ("memory_percent", 1.0),
    "mem.pct": ("memory_percent", 1.0),
    "system_memory_usage_percentage": ("memory_percent", 1.0),
    "ram/usage (%)": ("memory_percent", 1.0),
    "system_memory_usage_megabytes": ("memory_used", _MEGABYTE),
    "proc.memory.availableMB": ("memory_free", _MIB),
    "mem.proc.avail": ("memory_free", _MIB),
    "ram/usage (GB)": ("memory_used", _GIB),
    "ram/total (GB)": ("memory_total", _GIB),
}
"""The same for the host."""


def recorded(series: Sequence[Series], now: float) -> HardwareReading | None:
    """Reading with the newest values that a tracker recorded.

    Args:
        series: Every scalar of one run.
        now: Seconds since the Unix epoch, for the age in the note.

    Returns:
        None if the run's trackers recorded no hardware.
    """
    ours = [one for one in series if is_recorded(one.meaning.key) and len(one)]
    gpus: dict[int, dict[str, float]] = {}
    histories: dict[int, tuple[float, ...]] = {}
    host: dict[str, float] = {}
    newest, source = -math.inf, ""
    for one in ours:
        if not math.isfinite(one.last) or not _store(one, gpus, histories, host):
            continue
        if (when := float(one.wall_times[-1])) > newest or not source:
            newest, source = max(when, newest), one.source
    if not gpus and not host:
        return None
    return HardwareReading(
        tuple(_gpu(index, gpus[index], histories.get(index, ())) for index in sorted(gpus)),
        f"recorded by {source}{age(now - newest)}",
        _host(host) if host else None,
    )


def gpu_quantity(key: str) -> tuple[int, str, float] | None:
    """Which GPU and which field a series describes, and the factor to SI units.

    None for series that do not describe a whole GPU.
    """
    name = key.removeprefix(PREFIX)
    return None if name.startswith("process.") else gpu_field(name)


def gpu_field(name: str) -> tuple[int, str, float] | None:
    """Index, field and factor to SI units of a GPU's series, of a process on it too."""
    found = _gpu_name(name)
    quantity = _GPU_FIELDS.get(found[2]) if found else None
    return (int(found[1]), *quantity) if found and quantity else None


def host_field(name: str) -> tuple[str, float] | None:
    """Field and factor to SI units of a series of the host."""
    return _HOST_FIELDS.get(name)


def _gpu_name(name: str) -> re.Match[str] | None:
    """Index and quantity in the name of a series of a GPU."""
    if dvclive := _DVCLIVE.fullmatch(name):
        # DVCLive puts the number of the GPU last.
        name = f"gpu/{dvclive[2]}/{dvclive[1].removeprefix('gpu/')}"
    return _GPU.fullmatch(name)


def _store(
    one: Series,
    gpus: dict[int, dict[str, float]],
    histories: dict[int, tuple[float, ...]],
    host: dict[str, float],
) -> bool:
    """Store the newest value of a series in its field; False if it has none."""
    name = one.meaning.key.removeprefix(PREFIX)
    if found := gpu_field(name):
        index, quantity, factor = found
        if index not in gpus and len(gpus) >= MOST_GPUS:
            return False
        # W&B logs the whole GPU and the process: the whole counts.
        if not name.startswith("process.") or quantity not in gpus.get(index, {}):
            gpus.setdefault(index, {})[quantity] = one.last * factor
            if quantity == "utilization":
                histories[index] = tuple(_percents(one.values[-HISTORY:].tolist()))
        return True
    field = host_field(name)
    if field is not None:
        host[field[0]] = one.last * field[1]
    return field is not None


def _percents(values: Iterable[float]) -> Iterable[float]:
    return (min(max(value, 0.0), 100.0) for value in values if math.isfinite(value))


def _gpu(index: int, said: Mapping[str, float], history: tuple[float, ...]) -> GpuReading:
    used, total = _memory(said)
    return GpuReading(
        index,
        f"GPU {index}",
        utilization=_percent(said.get("utilization")),
        memory_used=used,
        memory_total=total,
        power=said.get("power"),
        power_limit=said.get("power_limit"),
        temperature=said.get("temperature"),
        sm_clock=said.get("sm_clock"),
        utilization_history=history,
    )


def _host(said: Mapping[str, float]) -> HostReading:
    used, total = _memory(said)
    return HostReading("", _percent(said.get("cpu")), None, used, total)


def _percent(value: float | None) -> float | None:
    return None if value is None else min(max(value, 0.0), 100.0)


def _memory(said: Mapping[str, float]) -> tuple[int | None, int | None]:
    """Bytes used and total, from any two of used, free, total and percent."""
    used, total = said.get("memory_used"), said.get("memory_total")
    percent, free = said.get("memory_percent"), said.get("memory_free")
    share = percent / 100 if percent is not None and 0 < percent < 100 else None
    if total is None and share is not None:
        if used is not None:
            total = used / share
        elif free is not None:
            total = free / (1 - share)
    if used is None and total is not None and share is not None:
        used = total * share
    return _bytes(used), _bytes(total)


def _bytes(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value < 1e18 else None


def age(seconds: float) -> str:
    """How long ago that was, in coarse steps, so that an idle screen does not change."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 15:
        return ", just now"
    if seconds < 60:
        return f", {int(seconds // 15) * 15} s ago"
    if seconds < 3600:
        return f", {int(seconds // 60)} min ago"
    if seconds < 48 * 3600:
        return f", {int(seconds // 3600)} h ago"
    return f", {int(seconds // 86400)} days ago"


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
