"""GPUs of AMD, through AMD SMI (`amdsmi`), where that is installed."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import field
from typing import Any

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.gpu import HISTORY, PROCESSES_EVERY, RETRY
from lossmon.hardware.processes import Processes, printable
from lossmon.types import GpuDetails, GpuProcess, GpuReading, PcieLink

_MIB = 1 << 20

_MICROWATTS = 1e5
"""Limits above this are in microwatts, as some versions give them; no GPU takes 100 kW."""

_MILLIDEGREES = 1e3
"""Temperatures above this are in thousandths of a degree, as some versions give them."""


_GENERATIONS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}
"""Generation of a PCI Express link by its speed in GT/s."""

_MEGATRANSFERS = 1000
"""Speeds from here on are in MT/s, as most versions give them."""


@dataclass(slots=True)
class _Device:
    """State of one GPU between samples."""

    handle: Any
    name: str
    details: GpuDetails | None = None
    processes: tuple[GpuProcess, ...] = ()
    power_limit: float | None = None
    looked: float = -math.inf
    history: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))


class AmdGpus:
    """Samples every GPU of AMD. Calls block as long as a hanging driver.

    Versions 6 and 7 of AMD SMI differ in names and units; both are read. What a GPU does not
    support raises an error or is "N/A", and is None here.

    Args:
        processes: Gives the names of the processes that hold GPU memory.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._smi: Any = None
        """The `amdsmi` module while the library is open."""
        self._devices: list[_Device] = []
        self._retry_at = -math.inf

    def sample(self, now: float, first: int = 0) -> tuple[GpuReading, ...]:
        """Return one reading per GPU; none where there is no library, driver or GPU.

        Args:
            now: `time.monotonic()` seconds.
            first: Index of the first one.
        """
        if self._smi is None and now >= self._retry_at:
            self._retry_at = now + RETRY
            self._open()
        return tuple(
            self._read(device, index, now) for index, device in enumerate(self._devices, first)
        )

    def close(self) -> None:
        """Close the library; a later sample may open it again."""
        smi, self._smi, self._devices = self._smi, None, []
        if smi is not None:
            with contextlib.suppress(Exception):
                smi.amdsmi_shut_down()

    def _open(self) -> None:
        try:
            import amdsmi
        except ImportError:
            self._retry_at = math.inf
            return
        except Exception:
            # Without the library of ROCm the import itself fails, with errors of several kinds.
            return
        try:
            amdsmi.amdsmi_init(amdsmi.AmdSmiInitFlags.INIT_AMD_GPUS)
            self._smi = amdsmi
            handles = amdsmi.amdsmi_get_processor_handles()
        except Exception:
            self.close()
            return
        self._devices = [_Device(handle, self._name(handle)) for handle in handles]

    def _name(self, handle: Any) -> str:
        name = _entry(self._ask("amdsmi_get_gpu_asic_info", handle), "market_name")
        return printable(name if isinstance(name, str) else "") or "AMD GPU"

    def _read(self, device: _Device, index: int, now: float) -> GpuReading:
        handle = device.handle
        if now - device.looked >= PROCESSES_EVERY:
            device.looked = now
            self._look(device)
        busy = _number(_entry(self._ask("amdsmi_get_gpu_activity", handle), "gfx_activity"))
        if busy is not None:
            device.history.append(min(busy, 100.0))
        memory = self._ask("amdsmi_get_gpu_vram_usage", handle)
        used, total = (_number(_entry(memory, name)) for name in ("vram_used", "vram_total"))
        power = _power(self._ask("amdsmi_get_power_info", handle))
        clock = self._clock(handle)
        return GpuReading(
            index=index,
            name=device.name,
            utilization=None if busy is None else min(busy, 100.0),
            memory_used=None if used is None else int(used * _MIB),
            memory_total=None if total is None else int(total * _MIB),
            power=None if power is None else float(round(power)),
            power_limit=device.power_limit,
            temperature=self._temperature(handle),
            sm_clock=None if clock is None else clock * 1e6,
            processes=device.processes,
            utilization_history=tuple(device.history),
            details=device.details,
            lost=busy is None and used is None and power is None,
        )

    def _look(self, device: _Device) -> None:
        """Ask for what seldom changes."""
        handle = device.handle
        limit = _number(_entry(self._ask("amdsmi_get_power_info", handle), "power_limit"))
        if limit is not None:
            device.power_limit = limit / 1e6 if limit > _MICROWATTS else limit
        errors = self._ask("amdsmi_get_gpu_total_ecc_count", handle)
        device.details = GpuDetails(
            pcie=_pcie(self._ask("amdsmi_get_pcie_info", handle)),
            ecc_corrected=_whole(_entry(errors, "correctable_count")),
            ecc_uncorrected=_whole(_entry(errors, "uncorrectable_count")),
        )
        device.processes = self._list_processes(handle)

    def _temperature(self, handle: Any) -> float | None:
        """That of the hottest spot, which limits the clock; that of the edge on older GPUs."""
        for name in ("HOTSPOT", "JUNCTION", "EDGE"):
            kind = getattr(self._smi.AmdSmiTemperatureType, name, None)
            if kind is None:
                continue
            current = self._smi.AmdSmiTemperatureMetric.CURRENT
            degrees = _number(self._ask("amdsmi_get_temp_metric", handle, kind, current))
            if degrees is not None:
                return degrees / 1000 if degrees > _MILLIDEGREES else degrees
        return None

    def _clock(self, handle: Any) -> float | None:
        """Clock of the shaders in MHz."""
        info = self._ask("amdsmi_get_clock_info", handle, self._smi.AmdSmiClkType.GFX)
        clock = _number(_entry(info, "clk"))
        return _number(_entry(info, "cur_clk")) if clock is None else clock

    def _list_processes(self, handle: Any) -> tuple[GpuProcess, ...]:
        listed = self._ask("amdsmi_get_gpu_process_list", handle)
        memory: dict[int, int | None] = {}
        for entry in listed if isinstance(listed, list) else ():
            pid = _whole(_entry(entry, "pid"))
            used = _whole(_entry(_entry(entry, "memory_usage"), "vram_mem"))
            if pid is not None and used != 0:
                memory[pid] = used
        return self._processes.on_gpu(memory)

    def _ask(self, function: str, *arguments: Any) -> Any:
        """Call a function of AMD SMI; None where this GPU, driver or version does not support it.

        Its errors have no common class in all versions.
        """
        call: Callable[..., Any] | None = getattr(self._smi, function, None)
        if call is None:
            return None
        try:
            return call(*arguments)
        except Exception:
            return None


def _power(info: Any) -> float | None:
    """Watts: of the socket now, or the average where a GPU has no other."""
    for name in ("socket_power", "current_socket_power", "average_socket_power"):
        if (watts := _number(_entry(info, name))) is not None:
            return watts
    return None


def _pcie(info: Any) -> PcieLink | None:
    static, now = _entry(info, "pcie_static"), _entry(info, "pcie_metric")
    width, most = _whole(_entry(now, "pcie_width")), _whole(_entry(static, "max_pcie_width"))
    whole = _whole(_entry(static, "max_pcie_interface_version"))
    whole = _whole(_entry(static, "pcie_interface_version")) if whole is None else whole
    if width is None or most is None or whole is None:
        return None
    speed = _number(_entry(now, "pcie_speed")) or 0.0
    generation = _GENERATIONS.get(speed / 1000 if speed >= _MEGATRANSFERS else speed, whole)
    return PcieLink(generation, width, whole, most)


def _entry(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: Any) -> float | None:
    """A number; None of "N/A", which stands for what is not supported."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if value >= 0 else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
