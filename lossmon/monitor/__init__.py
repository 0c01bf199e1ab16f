"""The whole pipeline without a screen: files in, `Snapshot` out."""

from lossmon.monitor.monitor import Monitor, MonitorConfig

__all__ = ["Monitor", "MonitorConfig"]
