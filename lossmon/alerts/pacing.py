"""Pacing of a channel: alerts of one kind go together, and messages are limited."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.types import Severity

GATHER = 5.0
"""Seconds that an alert waits for others of its kind: one look at the files finds most of them."""

GATHER_STALLED = 30.0
"""The same for runs that fall silent: each is noticed after its own usual interval."""

BURST = 3
"""Messages of one kind that may be sent within `WINDOW`; what comes beyond is gathered."""

WINDOW = 300.0
"""Seconds in which `BURST` messages are sent at the most."""

REPEAT = 600.0
"""Seconds between two messages about one condition of one run: a condition that comes and goes
is worth a word now and then."""

FIRST_RETRY, LONGEST_RETRY = 5.0, 900.0
"""Seconds before the first attempt after a failure, and at the most: each wait is twice the one
before."""


class Pending(NamedTuple):
    """An alert that a channel has not sent, without its texts.

    Attributes:
        id: Identity of the alert.
        kind: What kind of transition.
        code: Code of the condition.
        path: Path of the run, or empty.
        severity: Severity of the alert.
        time: When it came, in seconds since the Unix epoch.
    """

    id: str
    kind: str
    code: str
    path: str
    severity: Severity
    time: float

    @property
    def topic(self) -> tuple[str, str]:
        """What alerts have in common that go into one message."""
        return self.kind, self.code


@dataclass(slots=True)
class Pacing:
    """What was sent lately, and what may be sent now.

    Attributes:
        paced: Gather and limit; else each alert is sent at once.
    """

    paced: bool = True
    _topics: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _runs: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def sent(self, alerts: Iterable[Pending], now: float) -> None:
        """Record that a message was sent."""
        for topic in {alert.topic for alert in alerts}:
            self._topics.setdefault(topic, deque(maxlen=BURST)).append(now)
        self._runs |= {(*alert.topic, alert.path): now for alert in alerts}
        self._runs = {key: at for key, at in self._runs.items() if now - at < REPEAT}

    def batch(self, pending: Sequence[Pending], now: float) -> list[Pending]:
        """The alerts of the next message, empty where none is due."""
        if not self.paced:
            return [*pending[:1]]
        for alert in pending:
            if max(self._ready(alert, now), self._free(alert.topic, now)) <= now:
                alike = [one for one in pending if one.topic == alert.topic]
                return [one for one in alike if self._repeated(one, now) <= now]
        return []

    def _ready(self, alert: Pending, now: float) -> float:
        gather = GATHER_STALLED if alert.code == "stalled" else GATHER
        # A clock that was set back must not hold up an alert.
        gathered = alert.time + gather if alert.time <= now else now
        return max(gathered, self._repeated(alert, now))

    def _repeated(self, alert: Pending, now: float) -> float:
        """When another message about this run may be sent."""
        last = self._runs.get((*alert.topic, alert.path))
        return now if last is None or last > now else last + REPEAT

    def _free(self, topic: tuple[str, str], now: float) -> float:
        """When another message of this kind may be sent."""
        recent = [at for at in self._topics.get(topic, ()) if 0 <= now - at < WINDOW]
        return now if len(recent) < BURST else recent[0] + WINDOW


def retry_after(failures: int, chance: random.Random) -> float:
    """Seconds to wait after a number of failures in a row, from 1."""
    wait: float = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 30))
    # Many machines that lost one server should not all come back at once.
    return wait * chance.uniform(0.8, 1.2)
