"""Sender of a channel: a thread that paces, sends and tries again, and holds up nobody."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lossmon.alerts.alert import OWN, Alert, Message
from lossmon.alerts.channels import AlertChannel, ChannelError
from lossmon.alerts.journal import AlertJournal, JournalError
from lossmon.alerts.pacing import LONGEST_RETRY, Pacing, Pending, retry_after
from lossmon.errors import ConfigError, internal_error
from lossmon.fast_dataclass import dataclass
from lossmon.types import Severity

_SPELLED = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


class QuietHours(NamedTuple):
    """A span of the day in local time; it may go over midnight.

    Attributes:
        begin: Minutes since midnight.
        end: Minutes since midnight.
    """

    begin: int
    end: int

    def contains(self, now: float) -> bool:
        """Whether a moment, in seconds since the Unix epoch, lies in it."""
        local = time.localtime(now)
        minute = local.tm_hour * 60 + local.tm_min
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def parse_hours(text: str, where: str) -> QuietHours | None:
    """Read `22:00-07:00`; an empty text means none.

    Raises:
        ConfigError: It is something else.
    """
    if not text:
        return None
    match = _SPELLED.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"{where}: {text!r} is not a span such as 22:00-07:00")
    hours = [int(part) for part in match.groups()]
    return QuietHours(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


TICK = 0.5
"""Seconds between two looks at what is due, while something waits."""

LARGEST = 1000
"""Alerts in one message; beyond that its JSON would be megabytes."""

DOWN = 3
"""Failures in a row after which the other channels report it."""

LONGEST_PAUSE = 3600.0
"""Seconds that a channel pauses at the most, even where the clock was set back meanwhile."""

HUNG = 120.0
"""Seconds after which a channel that has not come back counts as failed."""


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """A channel as the user wants it.

    Attributes:
        name: What it is called in messages and in the journal; unique.
        channel: What sends.
        severity: Alerts below it are not sent.
        quiet: When only what is critical is sent, or None.
        paced: Gather alerts and limit messages.
    """

    name: str
    channel: AlertChannel
    severity: Severity = Severity.NEUTRAL
    quiet: QuietHours | None = None
    paced: bool = True


Report = Callable[[str, str, str], None]
"""Called with what happened (`channel_failed`, `channel_recovered`, `journal_failed`), the name of
the channel and the reason."""


class Sender(threading.Thread):
    """Sends the alerts of one channel, one message at a time.

    Args:
        report: Called once when the channel has failed for long, and once when it works again.
        clock: Seconds since the Unix epoch.
        language: `en` or `zh`.
        tick: Seconds between two looks at what is due.
    """

    def __init__(
        self,
        config: ChannelConfig,
        journal: AlertJournal,
        report: Report,
        *,
        clock: Callable[[], float] = time.time,
        language: str = "en",
        tick: float = TICK,
    ) -> None:
        super().__init__(name=f"alerts by {config.name}", daemon=True)
        self._config, self._journal, self._report = config, journal, report
        self._clock, self._language, self._tick = clock, language, tick
        self._woken = threading.Condition()
        self._stopping = False
        self._pacing = Pacing(config.paced)
        self._pending = journal.pending(config.name)
        for alert, at in journal.sent_lately(config.name):
            self._pacing.sent([alert], at)
        self._unsaved: dict[str, Alert] = {}
        self._failures = 0
        self._not_before = 0.0
        self._is_down = False
        self._sending_since: float | None = None
        self._chance = random.Random()

    @property
    def config(self) -> ChannelConfig:
        """The channel."""
        return self._config

    def wants(self, alert: Alert) -> bool:
        """Whether an alert is to be sent by this channel."""
        return alert.severity >= self._config.severity or alert.kind == OWN

    def put(self, alerts: Sequence[Alert], *, saved: bool) -> None:
        """Have some alerts sent.

        Args:
            saved: They are in the journal; else they stay in memory until they are sent.
        """
        with self._woken:
            if not saved:
                self._unsaved |= {alert.id: alert for alert in alerts}
            self._pending += [_pending(alert) for alert in alerts]
            self._woken.notify()

    def stop(self) -> None:
        """End once the present message is sent; what waits stays in the journal."""
        with self._woken:
            self._stopping = True
            self._woken.notify()

    def check(self) -> None:
        """Report the channel if it hangs."""
        since = self._sending_since
        if since is not None and time.monotonic() - since > HUNG and not self._is_down:
            self._is_down = True
            self._report("channel_failed", self._config.name, f"no answer for {HUNG:g} s")

    def run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                if not self._attempt(batch):
                    self._sent(batch)
            except BaseException as error:
                # A thread that dies would take the channel with it.
                internal_error(error)
                self._not_before = self._clock() + LONGEST_RETRY

    def _next(self) -> list[Pending] | None:
        """Wait for the alerts of the next message; None at the end."""
        with self._woken:
            while not self._stopping:
                now = self._clock()
                self._not_before = min(self._not_before, now + LONGEST_PAUSE)
                if now >= self._not_before:
                    allowed = [one for one in self._pending if not self._is_quiet(one, now)]
                    if batch := self._pacing.batch(allowed, now):
                        return batch[:LARGEST]
                self._woken.wait(self._tick if self._pending else None)
        return None

    def _is_quiet(self, alert: Pending, now: float) -> bool:
        quiet = self._config.quiet
        return quiet is not None and alert.severity < Severity.CRITICAL and quiet.contains(now)

    def _alerts(self, batch: Sequence[Pending]) -> list[Alert]:
        found = [self._unsaved[one.id] for one in batch if one.id in self._unsaved]
        found += self._journal.alerts([one.id for one in batch if one.id not in self._unsaved])
        return sorted(found, key=lambda alert: alert.time)

    def _attempt(self, batch: Sequence[Pending]) -> str:
        """Send one message; empty if it was taken, else why not."""
        self._sending_since = time.monotonic()
        reason, wait = "", None
        try:
            if alerts := self._alerts(batch):
                self._config.channel.send(Message(tuple(alerts), self._language))
        except JournalError as error:
            reason = str(error)
        except ChannelError as error:
            reason, wait = str(error), error.wait
        except BaseException as error:
            reason = internal_error(error)
        finally:
            self._sending_since = None
        self._count(reason, wait)
        return reason

    def _count(self, reason: str, wait: float | None) -> None:
        self._failures = self._failures + 1 if reason else 0
        if reason:
            pause = retry_after(self._failures, self._chance) if wait is None else wait
            self._not_before = self._clock() + pause
        if reason and self._failures >= DOWN and not self._is_down:
            self._is_down = True
            self._report("channel_failed", self._config.name, reason)
        elif not reason and self._is_down:
            self._is_down = False
            self._report("channel_recovered", self._config.name, "")

    def _sent(self, batch: Sequence[Pending]) -> None:
        now, ids = self._clock(), [alert.id for alert in batch]
        try:
            self._journal.mark_sent(self._config.name, ids, now)
        except JournalError as error:
            self._report("journal_failed", self._config.name, str(error))
        with self._woken:
            self._pacing.sent(batch, now)
            gone = {*ids}
            self._pending = [one for one in self._pending if one.id not in gone]
            for one in ids:
                self._unsaved.pop(one, None)


def _pending(alert: Alert) -> Pending:
    return Pending(alert.id, alert.kind, alert.code, alert.path, alert.severity, alert.time)
