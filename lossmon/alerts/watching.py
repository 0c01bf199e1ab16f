"""`lossmon watch`: follows runs without a screen for as long as it takes."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lossmon.alerts.alert import own_alert
from lossmon.alerts.early_stop import EarlyStop
from lossmon.alerts.journal import AlertJournal
from lossmon.alerts.service import AlertService
from lossmon.alerts.settings import AlertSettings
from lossmon.ending import stopped_by_signals
from lossmon.locale import message
from lossmon.monitor import MonitorConfig, RunSource
from lossmon.monitor.follow import Follower
from lossmon.sanitize import cells
from lossmon.types import Severity

HEARTBEAT = 2.0
"""Seconds between two looks while no file changes: no screen waits for them."""

LOOK = 0.2
"""Seconds between two looks at whether a signal came."""

PATIENCE = 5.0
"""Seconds for which a poll is waited for at the end; one that hangs is left behind."""

STOPPED = "stopped"
"""Name in the journal of what early stopping has done."""


def watch(
    place: Sequence[Path] | RunSource,
    monitor: MonitorConfig,
    settings: AlertSettings,
    journal: AlertJournal,
    *,
    language: str = "en",
    early_stop: EarlyStop | None = None,
    clock: Callable[[], float] = time.time,
    heartbeat: float = HEARTBEAT,
    opening: Sequence[str] = (),
) -> None:
    """Send alerts until a signal asks to end.

    Args:
        place: Paths, which need not exist yet, or a source of runs.
        monitor: Settings of the monitor, where paths are given.
        settings: What is worth an alert, and where it is sent.
        journal: What is known from before; closed at the end.
        language: `en` or `zh`.
        early_stop: What stops runs, or None.
        clock: Seconds since the Unix epoch.
        heartbeat: Seconds between two looks while no file changes.
        opening: Lines to print; from then on a signal ends the watch with status 0.
    """
    follower = Follower(place, monitor, clock=clock)
    service = AlertService(settings, journal, clock=clock, language=language, warn=warn)

    def report(silence: float) -> None:
        values = {"minutes": f"{silence / 60:.0f}"}
        alert = own_alert("reading_stuck", Severity.CRITICAL, clock(), language, values)
        warn(" ".join((alert.word.lower(), *alert.text)))
        service.send(alert)

    if early_stop is not None:
        early_stop.stopped.update(journal.fact(STOPPED) or {})

    def follow() -> None:
        for snapshot in follower.snapshots(heartbeat=heartbeat, idle=True):
            service.observe(snapshot)
            for alert in early_stop.observe(snapshot) if early_stop else ():
                service.send(alert)
                service.set_fact(STOPPED, early_stop.stopped if early_stop else {})

    with stopped_by_signals(follower.stop), service, _guarded(follower, report):
        for line in opening:
            warn(line)
        _follow_until_ended(follow, follower)


def _follow_until_ended(follow: Callable[[], None], follower: Follower) -> None:
    """Follow in a thread: Python handles no signal while its main thread waits for a dead mount."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            follow()
        except BaseException as error:
            # It belongs to the main thread, which raises it.
            errors.append(error)

    thread = threading.Thread(target=work, name="watch", daemon=True)
    thread.start()
    while thread.is_alive() and not follower.is_stopped:
        thread.join(LOOK)
    thread.join(PATIENCE)
    if errors:
        raise errors[0]


@contextlib.contextmanager
def _guarded(follower: Follower, report: Callable[[float], None]) -> Iterator[None]:
    guard = ReadingGuard(lambda: follower.polled, report)
    guard.start()
    try:
        yield
    finally:
        guard.stop()


def warn(text: str) -> None:
    """Write a line to the error output, with its time."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    with contextlib.suppress(OSError, ValueError):
        print(f"{stamp}  lossmon: {cells(message(text))}", file=sys.stderr, flush=True)


LIMIT = 120.0
"""Seconds after which a look counts as stuck: servers that fail over answer again within two
minutes."""

EVERY = 5.0
"""Seconds between two checks."""


class ReadingGuard(threading.Thread):
    """Reports once when polls stop coming, and again only after they have come back.

    Args:
        polled: Returns when the newest poll began, on the monotonic clock.
        report: Called with the seconds since the last poll.
        limit: Seconds without a poll that count as stuck.
        every: Seconds between two checks.
    """

    def __init__(
        self,
        polled: Callable[[], float],
        report: Callable[[float], None],
        *,
        limit: float = LIMIT,
        every: float = EVERY,
    ) -> None:
        super().__init__(name="guard of the reading", daemon=True)
        self._polled, self._report = polled, report
        self._limit, self._every = limit, every
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def run(self) -> None:
        reported = False
        while not self._stopped.wait(self._every):
            silence = time.monotonic() - self._polled()
            if silence > self._limit and not reported:
                self._report(silence)
            reported = silence > self._limit
