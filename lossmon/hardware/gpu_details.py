"""Details of NVIDIA GPUs that seldom change: links, memory errors, partitions and driver errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from lossmon.hardware.processes import printable
from lossmon.types import GpuDetails, GpuPartition, PcieLink

MOST_LINKS = 18
"""NVLink connections per GPU that are asked for: as many as a Blackwell GPU has."""

MOST_PARTITIONS = 16
"""MIG devices per GPU that are asked for: more than any GPU can have."""

MOST_XIDS = 16
"""Newest driver errors per GPU that are kept."""

MOST_EVENTS = 64
"""Events that are taken per look: a broken GPU may report without end."""

WAIT = 1
"""Milliseconds to wait for an event; one that is there is given at once."""

_SM, _MEMORY = 1, 2
_ALL_LINKS = 0xFFFFFFFF
_NVLINK_KIB = ((138, _ALL_LINKS), (139, _ALL_LINKS))
"""Counters of data sent and received over NVLink in KiB, in the scope that adds up the links."""

_PCIE_BYTES = ((197, 0), (198, 0))
"""Counters of data sent and received over PCI Express, of drivers since 565. Reading them takes
half a millisecond; `nvmlDeviceGetPcieThroughput` blocks for 20 per direction."""

_CORRECTED, _UNCORRECTED, _SINCE_LOADED = 0, 1, 0
_XID_EVENT = 8
_NO_GPU = -1


class Ask(Protocol):
    """Calls a function of NVML; None where it is not supported."""

    def __call__(self, function: str, *arguments: Any) -> Any:
        """The answer of a function."""
        ...


def details(ask: Ask, handle: Any) -> GpuDetails:
    """Read the details of a GPU, except for the errors that its driver reports."""
    remapped = ask("nvmlDeviceGetRemappedRows", handle) or (0, 0, 0, 0)
    encoder = ask("nvmlDeviceGetEncoderUtilization", handle)
    decoder = ask("nvmlDeviceGetDecoderUtilization", handle)
    active, links = _links(ask, handle)
    return GpuDetails(
        sm_clock_max=_hertz(ask("nvmlDeviceGetMaxClockInfo", handle, _SM)),
        memory_clock=_hertz(ask("nvmlDeviceGetClockInfo", handle, _MEMORY)),
        pcie=_pcie(ask, handle),
        ecc_corrected=_errors(ask, handle, _CORRECTED),
        ecc_uncorrected=_errors(ask, handle, _UNCORRECTED),
        remap_pending=bool(remapped[2]),
        remap_failed=bool(remapped[3]),
        nvlinks=active,
        nvlinks_total=links,
        fan=_percent(ask("nvmlDeviceGetFanSpeed", handle)),
        encoder=_percent(encoder and encoder[0]),
        decoder=_percent(decoder and decoder[0]),
        partitions=tuple(_partitions(ask, handle)),
    )


def _hertz(megahertz: Any) -> float | None:
    return None if megahertz is None else float(megahertz) * 1e6


def _percent(share: Any) -> float | None:
    return None if share is None else float(share)


def _errors(ask: Ask, handle: Any, kind: int) -> int | None:
    count = ask("nvmlDeviceGetTotalEccErrors", handle, kind, _SINCE_LOADED)
    return None if count is None else int(count)


def _pcie(ask: Ask, handle: Any) -> PcieLink | None:
    now = ("CurrPcieLinkGeneration", "CurrPcieLinkWidth")
    most = ("MaxPcieLinkGeneration", "MaxPcieLinkWidth")
    known = [ask(f"nvmlDeviceGet{name}", handle) for name in (*now, *most)]
    return None if None in known else PcieLink(*map(int, known))


def _links(ask: Ask, handle: Any) -> tuple[int | None, int | None]:
    """NVLink connections that are up, and all."""
    states: list[int] = []
    for link in range(MOST_LINKS):
        state = ask("nvmlDeviceGetNvLinkState", handle, link)
        if state is None:
            break
        states.append(int(state))
    return (sum(map(bool, states)), len(states)) if states else (None, None)


class LinkRates:
    """Throughput over a link of one GPU, from two readings of its counters.

    Args:
        counters: Field and scope of what was sent, and of what was received.
        unit: Bytes that the counters count in.
    """

    def __init__(self, counters: tuple[tuple[int, int], ...], unit: int) -> None:
        self._counters = counters
        self._unit = unit
        self._before: tuple[float, int, int] | None = None

    def read(self, ask: Ask, handle: Any, now: float) -> tuple[float | None, float | None]:
        """Bytes per second sent and received since the last reading.

        Args:
            now: `time.monotonic()` seconds.
        """
        values = ask("nvmlDeviceGetFieldValues", handle, self._counters)
        if values is None or any(one.nvmlReturn for one in values):
            self._before = None
            return None, None
        before = self._before
        sent, received = (int(one.value.ullVal) for one in values)
        self._before = now, sent, received
        # Counters restart with the driver.
        if before is None or now <= before[0] or sent < before[1] or received < before[2]:
            return None, None
        scale = self._unit / (now - before[0])
        return (sent - before[1]) * scale, (received - before[2]) * scale


def nvlink_rates() -> LinkRates:
    """Throughput over all NVLink connections."""
    return LinkRates(_NVLINK_KIB, 1024)


def pcie_rates() -> LinkRates:
    """Throughput over PCI Express."""
    return LinkRates(_PCIE_BYTES, 1)


def _partitions(ask: Ask, handle: Any) -> Iterator[GpuPartition]:
    mode = ask("nvmlDeviceGetMigMode", handle)
    if not mode or not mode[0]:
        return
    most = ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0
    for index in range(min(most, MOST_PARTITIONS)):
        part = ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
        if part is None:
            continue
        memory = ask("nvmlDeviceGetMemoryInfo", part)
        used, total = (None, None) if memory is None else (int(memory.used), int(memory.total))
        yield GpuPartition(index, printable(ask("nvmlDeviceGetName", part)), used, total)


class XidEvents:
    """Errors that the NVIDIA driver reports of its GPUs (Xid), from now on.

    Args:
        handles: The GPUs to listen to.
        seen: Errors by the NVML index of the GPU, oldest first; new ones are added.
    """

    def __init__(self, ask: Ask, handles: list[Any], seen: dict[int, tuple[int, ...]]) -> None:
        self._ask = ask
        self._seen = seen
        self._set = ask("nvmlEventSetCreate")
        for handle in handles if self._set is not None else ():
            # Not supported under WSL and by some virtual GPUs.
            ask("nvmlDeviceRegisterEvents", handle, _XID_EVENT, self._set)

    def look(self) -> None:
        """Take the events that came since the last look."""
        if self._set is None:
            return
        for _ in range(MOST_EVENTS):
            event = self._ask("nvmlEventSetWait_v2", self._set, WAIT)
            if event is None:
                return
            if int(event.eventType) & _XID_EVENT:
                index = self._ask("nvmlDeviceGetIndex", event.device)
                index = _NO_GPU if index is None else int(index)
                seen = (*self._seen.get(index, ()), int(event.eventData))
                self._seen[index] = seen[-MOST_XIDS:]
