"""GPUs of this machine, through NVIDIA's management library (NVML)."""

from __future__ import annotations

import contextlib
import math
import sys
from collections import deque
from dataclasses import field, replace
from typing import Any

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.gpu_details import LinkRates, XidEvents, details, nvlink_rates, pcie_rates
from lossmon.hardware.processes import Processes, printable
from lossmon.types import GpuDetails, GpuProcess, GpuReading

RETRY = 60.0
"""Seconds between two attempts to reach a driver or GPU that is gone: loading the driver can
block the machine for seconds."""

PROCESSES_EVERY = 5.0
"""Seconds between two lists of processes: jobs change within minutes, and each list reads files of
every process."""

HISTORY = 60
"""Utilizations kept: one minute at one sample per second, as wide as a sparkline gets."""

_UNINITIALIZED, _NO_PERMISSION, _NOT_LOADED, _NO_LIBRARY = 1, 4, 9, 12
_GPU_IS_LOST, _RESET_REQUIRED, _VERSION_MISMATCH, _UNKNOWN = 15, 16, 18, 999

_GONE = frozenset({_UNINITIALIZED, _NOT_LOADED, _VERSION_MISMATCH})
"""Errors after which the library must be opened again."""

_LOST = frozenset({_GPU_IS_LOST, _RESET_REQUIRED})
"""Errors after which one GPU does not answer while the others do."""

_NOTES = {
    _NO_PERMISSION: "no permission to query the NVIDIA driver",
    _NOT_LOADED: "the NVIDIA driver is not loaded",
    _NO_LIBRARY: "no NVIDIA driver on this machine",
    _VERSION_MISMATCH: "NVIDIA driver and library versions differ: GPUs return after a reload",
    _UNINITIALIZED: "the NVIDIA driver was reloaded: GPUs return within a minute",
    _UNKNOWN: "the NVIDIA driver answers with an unknown error (a container that lost its GPUs?)",
}

_REASONS = (
    (0x40, "HW thermal"),
    (0x20, "SW thermal"),
    (0x80, "power brake"),
    (0x08, "HW slowdown"),
    (0x10, "sync boost"),
    (0x200, "board limit"),
    (0x400, "reliability"),
    (0x04, "power cap"),
)
"""Bits of the reasons that slow a GPU down, worst first. Being idle (0x01) and clocks that a user
set (0x02, 0x100) are not among them."""


class _DriverGone(Exception):
    """The driver does not answer any more."""


class _GpuLost(Exception):
    """One GPU does not answer any more."""


@dataclass(slots=True)
class _Device:
    """State of one GPU between samples."""

    index: int
    handle: Any = None
    """Handle of the library, None while the GPU is lost."""
    name: str = "NVIDIA GPU"
    memory_total: int | None = None
    power_limit: float | None = None
    processes: tuple[GpuProcess, ...] = ()
    details: GpuDetails | None = None
    nvlink: LinkRates = field(default_factory=nvlink_rates)
    pcie: LinkRates = field(default_factory=pcie_rates)
    looked: float = -math.inf
    """`now` of the last list of processes, power limit and details."""
    history: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))


class Gpus:
    """Samples every GPU. Calls block as long as a hanging driver, so use a daemon thread.

    Args:
        processes: Gives the names of the processes that hold GPU memory.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._nvml: Any = None
        """The `pynvml` module while the library is open."""
        self._devices: list[_Device] = []
        self._known: dict[int, _Device] = {}
        """Every GPU ever seen: one that returns keeps its name and history."""
        self._events: XidEvents | None = None
        self._xids: dict[int, tuple[int, ...]] = {}
        """Errors that the driver reported, by GPU."""
        self._note = ""
        self._retry_at = -math.inf

    def sample(self, now: float) -> tuple[tuple[GpuReading, ...], str]:
        """Return one reading per GPU, and a note, which is empty if all is well.

        Errors of the driver are not raised.

        Args:
            now: `time.monotonic()` seconds.
        """
        if self._nvml is None and now >= self._retry_at:
            self._retry_at = now + RETRY
            self._note = self._open()
        try:
            self._look_for_events()
            readings = tuple(self._read(device, now) for device in self._devices)
        except _DriverGone as gone:
            self._note = str(gone)
            self.close()
            return (), self._note
        if any(reading.lost for reading in readings) and now >= self._retry_at:
            # A GPU that was reset is found only after the library is opened again.
            self._retry_at = now
            self.close()
        return readings, self._note or _remark(readings)

    def _look_for_events(self) -> None:
        """Take what the driver reported; a GPU that falls off the bus says so before it is lost."""
        if self._nvml is None:
            return
        try:
            if self._events is None:
                handles = [one.handle for one in self._devices if one.handle is not None]
                self._events = XidEvents(self._ask, handles, self._xids)
            self._events.look()
        except _GpuLost:
            return

    def close(self) -> None:
        """Close the library; the next sample may open it again."""
        nvml, self._nvml, self._devices = self._nvml, None, []
        self._events = None
        if nvml is not None:
            with contextlib.suppress(nvml.NVMLError):
                nvml.nvmlShutdown()

    def _open(self) -> str:
        """Open the library and find its GPUs; return why that failed, or an empty string."""
        if not _has_library():
            return _NOTES[_NO_LIBRARY]
        try:
            import pynvml
        except ImportError:
            return "GPUs need the Python package nvidia-ml-py"
        try:
            pynvml.nvmlInit()
            self._nvml = pynvml
            count = pynvml.nvmlDeviceGetCount()
            self._devices = [self._device(index) for index in range(count)]
        except pynvml.NVMLError as error:
            self.close()
            return _explain(error)
        except _DriverGone as gone:
            self.close()
            return str(gone)
        return "" if self._devices else "no NVIDIA GPU on this machine"

    def _device(self, index: int) -> _Device:
        device = self._known.setdefault(index, _Device(index))
        device.looked = -math.inf
        try:
            device.handle = self._ask("nvmlDeviceGetHandleByIndex", index)
            if device.handle is not None:
                name = self._ask("nvmlDeviceGetName", device.handle)
                device.name = printable(name) or device.name
        except _GpuLost:
            device.handle = None
        return device

    def _read(self, device: _Device, now: float) -> GpuReading:
        if device.handle is not None:
            try:
                return self._answers(device, now)
            except _GpuLost:
                device.handle = None
        return GpuReading(
            device.index,
            device.name,
            memory_total=device.memory_total,
            lost=True,
            details=self._details(device),
        )

    def _answers(self, device: _Device, now: float) -> GpuReading:
        nvml, handle = self._nvml, device.handle
        if now - device.looked >= PROCESSES_EVERY:
            device.looked = now
            device.power_limit = _scaled(self._ask("nvmlDeviceGetEnforcedPowerLimit", handle), 1e-3)
            device.processes = self._list_processes(handle)
            sent, received = device.nvlink.read(self._ask, handle, now)
            pcie_sent, pcie_received = device.pcie.read(self._ask, handle, now)
            device.details = replace(
                details(self._ask, handle),
                nvlink_sent=sent,
                nvlink_received=received,
                pcie_sent=pcie_sent,
                pcie_received=pcie_received,
            )
        rates = self._ask("nvmlDeviceGetUtilizationRates", handle)
        if rates is not None:
            device.history.append(float(rates.gpu))
        power = _scaled(self._ask("nvmlDeviceGetPowerUsage", handle), 1e-3)
        used = self._memory_used(device)
        temperature = self._ask("nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU)
        clock = self._ask("nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_SM)
        return GpuReading(
            index=device.index,
            name=device.name,
            utilization=None if rates is None else float(rates.gpu),
            memory_used=used,
            memory_total=device.memory_total,
            # Whole watts, as they are shown: milliwatts change all the time.
            power=None if power is None else float(round(power)),
            power_limit=device.power_limit,
            temperature=_scaled(temperature, 1.0),
            sm_clock=_scaled(clock, 1e6),
            throttle_reasons=self._throttle_reasons(handle),
            processes=device.processes,
            utilization_history=tuple(device.history),
            details=self._details(device),
        )

    def _details(self, device: _Device) -> GpuDetails | None:
        """The details with the newest errors, which come also from a GPU that is lost."""
        xids = self._xids.get(device.index, ())
        if xids and (device.details is None or device.details.xids != xids):
            device.details = replace(device.details or GpuDetails(), xids=xids)
        return device.details

    def _memory_used(self, device: _Device) -> int | None:
        """Return the bytes that programs hold; the total is kept with the device."""
        # The second version does not count the memory of the driver as used.
        version = getattr(self._nvml, "nvmlMemory_v2", None)
        memory = version and self._ask("nvmlDeviceGetMemoryInfo", device.handle, version)
        if memory is None:
            memory = self._ask("nvmlDeviceGetMemoryInfo", device.handle)
        if memory is None:
            return None
        device.memory_total = int(memory.total)
        return int(memory.used)

    def _throttle_reasons(self, handle: Any) -> tuple[str, ...]:
        bits = self._ask("nvmlDeviceGetCurrentClocksEventReasons", handle)
        if bits is None:
            # The name in drivers before 535.
            bits = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
        return tuple(word for bit, word in _REASONS if (bits or 0) & bit)

    def _list_processes(self, handle: Any) -> tuple[GpuProcess, ...]:
        """Return the processes that hold memory, largest first."""
        parts: dict[tuple[int, int, int], int | None] = {}
        for kind in ("Compute", "Graphics"):
            listed = self._ask(f"nvmlDeviceGet{kind}RunningProcesses_v3", handle)
            if listed is None:
                # Drivers before 510 have no third version.
                listed = self._ask(f"nvmlDeviceGet{kind}RunningProcesses_v2", handle)
            for entry in listed or ():
                # A process that computes and draws is in both lists with the same memory.
                parts[entry.pid, entry.gpuInstanceId, entry.computeInstanceId] = entry.usedGpuMemory
        memory: dict[int, int | None] = {}
        for (pid, _, _), used in parts.items():
            # On a partitioned GPU a process is listed once per partition.
            before = memory.get(pid)
            memory[pid] = used if before is None else before + (used or 0)
        return self._processes.on_gpu(memory)

    def _ask(self, function: str, *arguments: Any) -> Any:
        """Call a function of NVML; None where this GPU, driver or binding does not support it.

        Raises:
            _GpuLost: The GPU does not answer any more.
            _DriverGone: The driver does not answer any more.
        """
        call = getattr(self._nvml, function, None)
        if call is None:
            return None
        try:
            return call(*arguments)
        except self._nvml.NVMLError as error:
            if error.value in _LOST:
                raise _GpuLost from error
            if error.value in _GONE:
                raise _DriverGone(_explain(error)) from error
            return None


def _has_library() -> bool:
    """Whether the library can be loaded; if not, the binding would take 2 MB in vain."""
    if "pynvml" in sys.modules or sys.platform == "win32":
        return True
    import ctypes

    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def _explain(error: Any) -> str:
    """Message for an error of the library."""
    return _NOTES.get(error.value) or f"the NVIDIA driver reports: {printable(str(error)).lower()}"


def _remark(readings: tuple[GpuReading, ...]) -> str:
    """Note for readings that have nothing to show."""
    answers = (
        reading.lost or reading.memory_used is not None or reading.utilization is not None
        for reading in readings
    )
    if any(answers) or not readings:
        return ""
    return "the NVIDIA driver gives no readings here"


def _scaled(number: Any, unit: float) -> float | None:
    return None if number is None else float(number) * unit
