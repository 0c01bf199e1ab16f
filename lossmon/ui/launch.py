"""Opens the screen on some paths: reads what is there while Textual is being imported."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from lossmon.config import Config, config_directory
from lossmon.monitor import HardwareInput, Monitor, MonitorConfig, NoHardware, format_titles
from lossmon.types import HardwareReading, Snapshot
from lossmon.ui.chart.view_options import chart_settings_of

if TYPE_CHECKING:
    from lossmon.hardware.sampler import HardwareSampler
    from lossmon.watch import Watch


FIRST_LOOK = 0.3
"""Seconds of reading before the first frame: about as long as importing Textual takes, so all
but the longest logs are whole by then."""


class _FirstLook(threading.Thread):
    """Reads what is there while the main thread imports Textual; judging it comes later."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(name="first look", daemon=True)
        self._monitor = monitor
        self._snapshot: Snapshot | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._snapshot = self._monitor.poll(FIRST_LOOK, judge=False)
        except Exception as error:
            # It belongs to the main thread, which raises it in `snapshot`.
            self._error = error

    def snapshot(self) -> Snapshot | None:
        """Wait for the first look and return what it saw."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._snapshot


class Machine:
    """The hardware, sampled from `start` on: neither psutil nor NVML delays the first frame."""

    def __init__(self, paths: Sequence[Path], changed: threading.Event) -> None:
        self._paths, self._changed = paths, changed
        self._empty = HardwareReading()
        self._idle = False
        self._sampler: HardwareSampler | None = None

    @property
    def latest(self) -> HardwareReading:
        """The newest reading; empty before the first."""
        return self._empty if self._sampler is None else self._sampler.latest

    @property
    def idle(self) -> bool:
        """Whether samples may be rare."""
        return self._idle

    @idle.setter
    def idle(self, idle: bool) -> None:
        self._idle = idle
        if self._sampler is not None:
            self._sampler.idle = idle

    def start(self) -> None:
        """Begin to sample."""
        from lossmon.hardware.sampler import HardwareSampler

        sampler = HardwareSampler(self._paths, on_change=self._changed)
        sampler.idle = self._idle
        sampler.start()
        self._sampler = sampler

    def stop(self) -> None:
        """End sampling."""
        if self._sampler is not None:
            self._sampler.stop()


class Live:
    """A monitor whose files ring a bell.

    The app polls it once the first frame stands: what may wait for that begins with the first
    poll.

    Args:
        monitor: Reads and judges.
        paths: What the user gave.
        changed: The bell.
        begin: Called once, after the first poll.
    """

    def __init__(
        self,
        monitor: Monitor,
        paths: Sequence[Path],
        changed: threading.Event,
        begin: Callable[[], None],
    ) -> None:
        self._monitor, self._paths, self._changed, self._begin = monitor, paths, changed, begin
        self._watch: Watch | None = None
        self._files: tuple[Path, ...] = ()
        self._plain, self._noted = Snapshot(), Snapshot()
        self._ended = False

    def poll(self, budget: float) -> Snapshot:
        """Read for about `budget` seconds; the same object as before while nothing changed."""
        snapshot = self._monitor.poll(budget)
        if self._watch is None:
            self._begin_watch()
        elif self._files is not self._monitor.files:
            self._files = self._monitor.files
            self._watch.update(self._files)
        return self._with_notes(snapshot)

    def _begin_watch(self) -> None:
        from lossmon.watch import Watch

        if not self._ended:
            self._watch = Watch(self._paths, self._changed)
            self._begin()
            self._watch.start()

    def _with_notes(self, snapshot: Snapshot) -> Snapshot:
        """Add why changes come late, where they do."""
        notes = () if self._watch is None else self._watch.notes
        if not notes:
            return snapshot
        wanted = (*snapshot.notes, *notes)
        if snapshot is not self._plain or wanted != self._noted.notes:
            self._plain, self._noted = snapshot, replace(snapshot, notes=wanted)
        return self._noted

    def stop(self) -> None:
        """End the watching; a poll that comes late begins nothing."""
        self._ended = True
        if self._watch is not None:
            self._watch.stop()


def view(paths: Sequence[Path], config: Config) -> int:
    """Watch paths until the user quits.

    Garbage is collected from the first frame on; the caller may switch that off until then.

    Returns:
        Exit status.
    """
    changed = threading.Event()
    machine = Machine(paths, changed) if config.hardware else None
    monitor = Monitor(
        paths,
        MonitorConfig(config.metrics, config.patterns, config.sensitivity),
        hardware=machine or _unsampled(),
    )
    first = _FirstLook(monitor)
    first.start()
    from lossmon.ui.app import LossmonApp
    from lossmon.ui.launch import run_until_asked
    from lossmon.ui.scene import ScreenConfig

    initial = first.snapshot()
    home = config_directory()
    screen = ScreenConfig(
        theme=None if config.theme == "auto" else config.theme,
        look=chart_settings_of(config),
        language=config.lang,
        ascii={"auto": None, "ascii": True, "unicode": False}[config.charset],
        themes=home / "themes",
        home=home,
        # Only who waits for a first run wants to know, and telling imports every reader.
        recognised=() if initial is not None and initial.runs else format_titles(),
        initial=initial,
        keys=dict(config.keys),
        names=config.metrics,
        settings=config.file,
        fleet_first=True,
    )

    def begin() -> None:
        gc.freeze()
        gc.enable()
        if machine is not None:
            machine.start()

    live = Live(monitor, paths, changed, begin)
    try:
        return asyncio.run(
            run_until_asked(
                LossmonApp(
                    live,
                    changed,
                    screen,
                    prioritise=monitor.prioritise,
                    set_metric_names=monitor.set_metric_names,
                    load_settings=monitor.load_settings,
                )
            )
        )
    finally:
        live.stop()
        if machine is not None:
            machine.stop()


def _unsampled() -> HardwareInput:
    return NoHardware(HardwareReading(note="hardware is not sampled (--no-hardware)"))


ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program; Ctrl+C is a key while the screen is up."""


async def run_until_asked(app: App[None]) -> int:
    """Run an app until the user quits, or until a signal asks it to end.

    A process that simply died would leave the terminal without a cursor and without echo.

    Returns:
        Exit status, 128 and the signal's number where it was a signal.
    """
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
    try:
        await app.run_async()
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
    return app.return_code or 0
