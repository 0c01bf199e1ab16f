"""`HardwareInput`: where the monitor gets the readings of this machine."""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from lossmon.fast_dataclass import dataclass
from lossmon.types import HardwareReading


class HardwareInput(Protocol):
    """Hardware readings of this machine.

    Attributes:
        idle: No run is alive, so samples may be rare. Set by the monitor.
    """

    idle: bool

    @property
    def latest(self) -> HardwareReading:
        """The newest reading; the same object until something changes."""
        ...


@dataclass(slots=True)
class NoHardware:
    """Hardware that is not sampled.

    Attributes:
        latest: The reading to show instead.
        idle: Without effect.
    """

    latest: HardwareReading = field(default_factory=HardwareReading)
    idle: bool = True
