"""The whole pipeline without a screen: files in, `Snapshot` out."""

from lossmon.monitor.monitor import HardwareInput, Monitor, MonitorConfig, NoHardware

__all__ = ["HardwareInput", "Monitor", "MonitorConfig", "NoHardware"]
