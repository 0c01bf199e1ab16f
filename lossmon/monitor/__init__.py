"""The whole pipeline without a screen: files in, `Snapshot` out."""

from lossmon.monitor.monitor import Hardware, Monitor, MonitorConfig, NoHardware

__all__ = ["Hardware", "Monitor", "MonitorConfig", "NoHardware"]
