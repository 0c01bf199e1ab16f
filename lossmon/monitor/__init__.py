"""Monitor: the whole pipeline without a screen, from files to a `Snapshot`."""

from lossmon.monitor.hardware import HardwareInput, NoHardware
from lossmon.monitor.monitor import UNLIMITED, Monitor, MonitorConfig
from lossmon.monitor.source import LocalSource, RunSource
from lossmon.readers.registry import recognised as format_titles

__all__ = [
    "UNLIMITED",
    "HardwareInput",
    "LocalSource",
    "Monitor",
    "MonitorConfig",
    "NoHardware",
    "RunSource",
    "format_titles",
]
