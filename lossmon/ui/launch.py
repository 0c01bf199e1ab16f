"""Opens the screen on some paths: builds what it needs while Textual is being imported."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from lossmon.config import Config, config_directory
from lossmon.hardware.sampler import HardwareSampler
from lossmon.monitor import Monitor, MonitorConfig, NoHardware
from lossmon.readers.registry import recognised
from lossmon.types import HardwareReading, Snapshot
from lossmon.watch import Watch

FIRST_LOOK = 0.3
"""Seconds of reading before the first frame: about as long as importing Textual takes, so it
costs nothing, and all but the longest logs are whole by then."""

AFTER_FIRST_PAINT = 0.5
"""Seconds after which NVML, psutil and the watcher begin: they must not delay the first frame."""


class _FirstLook(threading.Thread):
    """Reads what is there while the main thread imports Textual."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(name="first look", daemon=True)
        self._monitor = monitor
        self._snapshot: Snapshot | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._snapshot = self._monitor.poll(FIRST_LOOK)
        except Exception as error:
            # It belongs to the main thread, which raises it in `snapshot`.
            self._error = error

    def snapshot(self) -> Snapshot | None:
        """Wait for the first look and return what it saw."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._snapshot


def view(paths: Sequence[Path], config: Config) -> int:
    """Watch paths until the user quits.

    Returns:
        Exit status.
    """
    changed = threading.Event()
    sampler = HardwareSampler(paths, on_change=changed) if config.hardware else None
    off = HardwareReading(note="hardware is not sampled (--no-hardware)")
    monitor = Monitor(
        paths,
        MonitorConfig(names=config.metrics, sensitivity=config.sensitivity),
        hardware=sampler or NoHardware(off),
    )
    first = _FirstLook(monitor)
    first.start()
    from lossmon.ui.app import LossmonApp
    from lossmon.ui.scene import Look, ScreenConfig, XAxis

    watch = Watch(paths, changed)
    screen = ScreenConfig(
        theme=None if config.theme == "auto" else config.theme,
        look=Look(
            smoothing=config.smoothing,
            x=XAxis(config.x_axis),
            log=config.log_y,
            robust=not config.outliers,
        ),
        language=config.lang,
        ascii={"auto": None, "ascii": True, "unicode": False}[config.charset],
        themes=config_directory() / "themes",
        recognised=recognised(),
        initial=first.snapshot(),
        keys=dict(config.keys),
    )
    later = threading.Timer(AFTER_FIRST_PAINT, _begin, (watch, sampler))
    later.daemon = True
    later.start()
    try:
        app = LossmonApp(monitor, changed, screen)
        app.run()
        return app.return_code or 0
    finally:
        later.cancel()
        watch.stop()
        if sampler is not None:
            sampler.stop()


def _begin(watch: Watch, sampler: HardwareSampler | None) -> None:
    watch.start()
    if sampler is not None:
        sampler.start()
