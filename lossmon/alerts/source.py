"""Source of snapshots that also sends alerts: how the screen does what the watch does."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from lossmon import locale
from lossmon.alerts.channels.terminal import TerminalChannel
from lossmon.alerts.journal import AlertJournal, JournalLocked, journal_file
from lossmon.alerts.service import AlertService
from lossmon.alerts.settings import AlertSettings
from lossmon.monitor import RunSource
from lossmon.types import MetricNames, Snapshot

EVERY = 1.0
"""Seconds between two looks at unchanged runs: time alone may cause an alert."""

PATIENCE = 1.0
"""Seconds that messages on their way may take when the user quits; what waits stays in
the journal."""


class AlertingSource:
    """A source whose snapshots are compared with what was alerted to.

    Where another process watches the same paths, that one sends the alerts, and a note says so.

    Args:
        source: Where the runs come from.
        places: Paths, and addresses as text; the journal is theirs, as it is for `lossmon watch`.
        settings: What is worth an alert, and where it is sent.
        language: `en` or `zh`.
        clock: Seconds since the Unix epoch.
    """

    def __init__(
        self,
        source: RunSource,
        places: Sequence[Path | str],
        settings: AlertSettings,
        language: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source, self._settings = source, settings
        self.prioritise: Callable[[Collection[Path]], None] = source.prioritise
        self.set_metric_names: Callable[[MetricNames], None] = source.set_metric_names
        self.load_settings: Callable[[Collection[Path]], None] = source.load_settings
        self._service: AlertService | None = None
        self._note = ""
        try:
            journal = AlertJournal(journal_file(places), clock())
            self._service = AlertService(settings, journal, language=language, clock=clock)
        except JournalLocked:
            self._note = locale.section("alerts", language)["elsewhere"]
        self._plain, self._noted = Snapshot(), Snapshot()
        self._observed = 0.0

    @property
    def changed(self) -> Event:
        """Set when a poll may give something new."""
        return self._source.changed

    def use_terminal(self, write: Callable[[str], None]) -> None:
        """Have sequences for the terminal written by its owner."""
        for channel in self._settings.channels:
            if isinstance(channel.channel, TerminalChannel):
                channel.channel.write = write

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read for about `budget` seconds; the same object as before while nothing changed."""
        snapshot = self._source.poll(budget, judge=judge)
        if self._service is None:
            return self._with_note(snapshot)
        now = time.monotonic()
        is_due = snapshot is not self._plain or now - self._observed >= EVERY
        if judge and is_due and not snapshot.busy:
            self._plain, self._observed = snapshot, now
            self._service.observe(snapshot)
        return snapshot

    def _with_note(self, snapshot: Snapshot) -> Snapshot:
        if snapshot is not self._plain:
            self._plain = snapshot
            self._noted = replace(snapshot, notes=(*snapshot.notes, self._note))
        return self._noted

    def drain(self) -> Snapshot:
        """Read everything that is there now; alerts wait for the next poll."""
        return self._source.drain()

    def begin(self) -> None:
        """Start what may wait until the first frame stands."""
        self._source.begin()
        if self._service is not None:
            self._service.start()

    def stop(self) -> None:
        """End what `begin` started."""
        self._source.stop()
        if self._service is not None:
            self._service.stop(PATIENCE)
