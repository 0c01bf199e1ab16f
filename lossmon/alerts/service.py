"""Alert service: snapshots in, messages out, whatever happens to the process or a channel."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lossmon.alerts.alert import Alert, alert_of, own_alert
from lossmon.alerts.journal import AlertJournal, JournalError
from lossmon.alerts.sender import TICK, Sender
from lossmon.alerts.settings import AlertSettings
from lossmon.alerts.tracker import RunTracker, Transition, identity_of
from lossmon.errors import internal_error
from lossmon.types import RunSnapshot, RunState, Severity, Snapshot

PATIENCE = 5.0
"""Seconds that messages on their way may take at the end; what waits stays in the journal."""

CLEANING = 86400.0
"""Seconds between two cleanings of the journal."""


class AlertService:
    """Sends an alert for each transition of each run. One thread calls `observe`.

    Args:
        settings: What is worth an alert, and where it is sent.
        journal: What is known from before; closed at the end.
        clock: Seconds since the Unix epoch.
        language: `en` or `zh`.
        warn: Called with what the user must know though no alert can say it.
        tick: Seconds between two looks at what is due.
    """

    def __init__(
        self,
        settings: AlertSettings,
        journal: AlertJournal,
        *,
        clock: Callable[[], float] = time.time,
        language: str = "en",
        warn: Callable[[str], None] = lambda text: None,
        tick: float = TICK,
    ) -> None:
        self._selection, self._journal = settings.selection, journal
        self._clock, self._language, self._warn = clock, language, warn
        names = [channel.name for channel in settings.channels]
        journal.forget_channels(names)
        self._senders = [
            Sender(channel, journal, self._report, clock=clock, language=language, tick=tick)
            for channel in settings.channels
        ]
        self._trackers = journal.trackers()
        self._paths = {one.identity: path for path, one in self._trackers.items()}
        """Paths of runs by their identities."""
        self._renamed: list[str] = []
        began = journal.fact("began")
        self._began: float = clock() if began is None else began
        if began is None:
            journal.set_fact("began", self._began)
        self._seen: dict[Path, RunSnapshot] = {}
        self._faulty: set[Path] = set()
        self._cleaned = clock()
        self._journal_works = True

    def start(self) -> None:
        """Begin to send; what was left from before goes first."""
        for sender in self._senders:
            sender.start()

    def stop(self, patience: float = PATIENCE) -> None:
        """End once the messages on their way are sent, or after `patience` seconds."""
        for sender in self._senders:
            sender.stop()
        end = time.monotonic() + patience
        for sender in self._senders:
            if sender.is_alive():
                sender.join(max(0.0, end - time.monotonic()))
        if not any(sender.is_alive() for sender in self._senders):
            self._journal.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def observe(self, snapshot: Snapshot) -> None:
        """Compare every run with what is known of it, and have what changed sent.

        Args:
            snapshot: Everything known of its runs being read.
        """
        now = self._clock()
        changed: dict[str, RunTracker] = {}
        alerts: list[Alert] = []
        present = {run.path for run in snapshot.runs}
        for run in snapshot.runs:
            try:
                alerts += self._observe(run, now, changed, present)
            except BaseException as error:
                if run.path not in self._faulty:
                    self._faulty.add(run.path)
                    self._warn(f"{run.path}: {internal_error(error)}; it may lack alerts")
        self._seen = {path: run for path, run in self._seen.items() if path in present}
        if changed or alerts:
            self._send(alerts, changed, now)
        self._look_after(present, now)

    def send(self, alert: Alert) -> None:
        """Send an alert about lossmon itself."""
        self._send([alert], {}, alert.time)

    def set_fact(self, name: str, value: Any) -> None:
        """Store a value in the journal."""
        try:
            self._journal.set_fact(name, value)
        except JournalError as error:
            self._report("journal_failed", "", str(error))

    def _observe(
        self, run: RunSnapshot, now: float, changed: dict[str, RunTracker], present: set[Path]
    ) -> list[Alert]:
        key = str(run.path)
        tracker = self._trackers.get(key)
        if tracker is not None and run is self._seen.get(run.path) and not tracker.is_unsettled:
            return []
        if not run.series and run.state is not RunState.FAILED:
            return []
        self._seen[run.path] = run
        before = None if tracker is None else tracker.dump()
        if tracker is None:
            tracker = self._trackers[key] = self._new_tracker(run, present)
        taken = [one for one in tracker.update(run, now) if self._selection.takes(one)]
        if tracker.dump() != before:
            changed[key] = tracker
        return [self._alert(run, transition, now) for transition in taken]

    def _new_tracker(self, run: RunSnapshot, present: set[Path]) -> RunTracker:
        """What is remembered of a run whose path is new: of a renamed one, all that there is."""
        identity = identity_of(run)
        path = self._paths.get(identity, "") if identity else ""
        self._paths[identity] = str(run.path)
        if path in self._trackers and Path(path) not in present:
            self._renamed.append(path)
            return self._trackers.pop(path)
        tracker = RunTracker(identity=identity)
        if run.last_time is not None and run.last_time < self._began:
            tracker.skip(run)
        return tracker

    def _alert(self, run: RunSnapshot, transition: Transition, now: float) -> Alert:
        return alert_of(run, transition, now, self._language)

    def _send(self, alerts: Sequence[Alert], changed: dict[str, RunTracker], now: float) -> None:
        wanted = [(alert, [one for one in self._senders if one.wants(alert)]) for alert in alerts]
        named = [(alert, [one.config.name for one in some]) for alert, some in wanted]
        saved = True
        try:
            fresh = self._journal.record(changed, named, now, self._renamed)
            self._renamed = []
        except JournalError as error:
            saved, fresh = False, {alert.id for alert in alerts}
            self._report("journal_failed", "", str(error))
        else:
            self._journal_works = True
        for alert, senders in wanted:
            for sender in senders if alert.id in fresh else ():
                sender.put([alert], saved=saved)

    def _look_after(self, present: set[Path], now: float) -> None:
        for sender in self._senders:
            sender.check()
        if now - self._cleaned > CLEANING:
            self._cleaned = now
            try:
                self._journal.clean(now, map(str, present))
            except JournalError as error:
                self._report("journal_failed", "", str(error))

    def _report(self, code: str, channel: str, reason: str) -> None:
        """Tell by the other channels what happened to one, or to the journal."""
        if code == "journal_failed":
            if not self._journal_works:
                return
            self._journal_works = False
        now, values = self._clock(), {"channel": channel, "reason": reason}
        alert = own_alert(code, Severity.WARNING, now, self._language, values)
        self._warn(" ".join((alert.word.lower(), *alert.text)))
        for sender in self._senders:
            if sender.config.name != channel and sender.wants(alert):
                sender.put([alert], saved=False)
