"""Launch of the screen: what is there is read while Textual is being imported."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lossmon.config import Config, config_directory, state_directory
from lossmon.monitor import RunSource
from lossmon.priority import give_way
from lossmon.types import Snapshot
from lossmon.ui.chart.view_options import chart_settings_of

if TYPE_CHECKING:
    from textual.app import App

    from lossmon.ui.scene import ScreenConfig

FIRST_LOOK = 0.3
"""Seconds of reading before the first frame: about as long as importing Textual takes, so all
but the longest logs are whole by then."""


class _FirstLook(threading.Thread):
    """Reads what is there while the main thread imports Textual; judging it comes later."""

    def __init__(self, source: RunSource) -> None:
        super().__init__(name="first look", daemon=True)
        self._source = source
        self._snapshot: Snapshot | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._snapshot = self._source.poll(FIRST_LOOK, judge=False)
        except Exception as error:
            # It belongs to the main thread, which raises it in `snapshot`.
            self._error = error

    def snapshot(self) -> Snapshot | None:
        """Wait for the first look and return what it saw."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._snapshot


def view(
    source: RunSource,
    config: Config,
    use_terminal: Callable[[Callable[[str], None]], None] = lambda write: None,
) -> int:
    """Watch runs until the user quits.

    Garbage is collected from the first frame on; the caller may switch that off until then.

    Args:
        source: Where the runs come from; stopped at the end.
        config: Settings.
        use_terminal: Called with what writes a control sequence to the terminal between two
            pictures; any thread may call that.

    Returns:
        Exit status.
    """
    first = _FirstLook(source)
    first.start()
    from lossmon.ui.app import LossmonApp

    try:
        screen = screen_config(config, first.snapshot())
        app = LossmonApp(source, screen, begin=partial(_begin, source))
        use_terminal(app.write_sequence)
        return asyncio.run(run_until_asked(app))
    finally:
        source.stop()


def screen_config(config: Config, initial: Snapshot | None) -> ScreenConfig:
    """What the user set, as the screen takes it.

    Args:
        config: Settings.
        initial: What is known before the first frame, or None.
    """
    from lossmon.ui.scene import ScreenConfig

    home = config_directory()
    return ScreenConfig(
        theme=None if config.theme == "auto" else config.theme,
        chart_settings=chart_settings_of(config),
        language=config.lang,
        ascii={"auto": None, "ascii": True, "unicode": False}[config.charset],
        themes=home / "themes",
        home=home,
        state=state_directory(),
        initial=initial,
        keys=dict(config.keys),
        names=config.metrics,
        settings=config.file,
        fleet_first=True,
    )


def _begin(source: RunSource) -> None:
    """Start what waits for the first frame: the garbage collector, file events, hardware.

    Runs in the thread that reads, which gives way to the training from here on.
    """
    gc.freeze()
    gc.enable()
    give_way()
    source.begin()


ENDING = (
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGALRM),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGVTALRM),
)
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
