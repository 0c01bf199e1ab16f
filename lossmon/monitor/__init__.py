"""Monitor: the whole pipeline without a screen, from files to a `Snapshot`."""

from lossmon.monitor.monitor import HardwareInput, Monitor, MonitorConfig, NoHardware
from lossmon.readers.registry import recognised as format_titles

__all__ = ["HardwareInput", "Monitor", "MonitorConfig", "NoHardware", "format_titles"]
