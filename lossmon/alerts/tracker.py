"""Transitions of a run: when a condition begins, gets worse and ends.

A condition begins once. It may begin again only after it has ended, and neither happens on a
flicker. The badge of the diagnosis has a hysteresis already, so its history is followed entry by
entry: what came and went while nobody looked is not lost.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.types import RunSnapshot, RunState, Severity, VerdictChange

STEPS = 3
"""Different steps at which a secondary finding must hold to begin, or be absent to end: such
findings have no hysteresis of their own, and three logged steps in a row are not a flicker."""

SECONDS = 60.0
"""Seconds after which it counts as well, for what stops the steps themselves."""


class Change(StrEnum):
    """What happened to a condition."""

    ONSET = "onset"
    WORSE = "worse"
    """Its severity rose."""
    END = "end"


class Transition(NamedTuple):
    """One change of one condition.

    Attributes:
        change: What happened.
        code: Code of the condition.
        severity: Its severity now; at its end, the highest that it had.
        since_step: Step at which the condition began.
        number: Counts the onsets of this condition in this run, from 1.
    """

    change: Change
    code: str
    severity: Severity
    since_step: int
    number: int


@dataclass(slots=True)
class _Active:
    """A condition that has begun and not ended."""

    severity: Severity
    since_step: int


@dataclass(slots=True)
class _Hold:
    """How long something has held without a break."""

    began: float
    step: int | None = None
    steps: int = 0

    def holds(self, step: int | None, now: float) -> bool:
        """Take note that it holds now too; whether that is long enough."""
        if step is not None and step != self.step:
            self.step, self.steps = step, self.steps + 1
        return self.steps >= STEPS or now - self.began >= SECONDS


@dataclass(slots=True)
class RunTracker:
    """What is remembered about one run.

    Attributes:
        active: Conditions that have begun and not ended, by code.
        onsets: How often each condition has begun.
        last: Newest verdict change that was followed; None before the first.
        identity: See `identity_of`.
    """

    active: dict[str, _Active] = field(default_factory=dict)
    onsets: dict[str, int] = field(default_factory=dict)
    last: VerdictChange | None = None
    identity: str = ""
    _pending: dict[str, _Hold] = field(default_factory=dict)
    _absent: dict[str, _Hold] = field(default_factory=dict)

    @property
    def is_unsettled(self) -> bool:
        """Whether time alone may bring a transition."""
        return bool(self._pending or self._absent)

    def skip(self, run: RunSnapshot) -> None:
        """Take the past of a run as known: it is older than the watch.

        What holds of it now is still to come, unless it has stopped: a run that ended or fell
        silent before anybody asked for alerts is old.
        """
        self.last = next(reversed(run.diagnosis.curve_history), None)
        if run.state not in (RunState.RUNNING, RunState.WAITING):
            for condition in conditions(run).values():
                self._begin(condition)

    def update(self, run: RunSnapshot, now: float) -> list[Transition]:
        """Compare a run with what is remembered.

        Args:
            run: The run, everything known of it being read.
            now: Seconds since the Unix epoch.

        Returns:
            What has changed, in order.
        """
        held = conditions(run)
        transitions = list(self._follow(run.diagnosis.curve_history, held))
        for code, condition in held.items():
            self._absent.pop(code, None)
            known = self.active.get(code)
            if known is not None:
                self._pending.pop(code, None)
                if condition.severity > known.severity:
                    transitions.append(self._worsen(code, condition.severity))
            elif condition.is_settled or self._lasts(self._pending, code, run.step, now):
                transitions.append(self._begin(condition))
        for code in self._pending.keys() - held.keys():
            del self._pending[code]
        for code in [*self.active]:
            if code not in held and self._lasts(self._absent, code, run.step, now):
                transitions.append(self._end(code))
        return transitions

    def _follow(
        self, history: Sequence[VerdictChange], held: Mapping[str, Condition]
    ) -> Iterator[Transition]:
        """The verdicts since the last one that was followed."""
        badge = self.last.code if self.last else ""
        left: set[str] = set()
        for change in self._unseen(history):
            if change.code != badge:
                left.add(badge)
                if change.code in self.active and change.code in left:
                    yield self._end(change.code)
            if change.code not in self.active:
                shown = Condition(change.code, change.severity, change.step, True)
                yield self._begin(held.get(change.code, shown))
            elif change.severity > self.active[change.code].severity:
                yield self._worsen(change.code, change.severity)
            badge = change.code
        for code in sorted(left):
            if code in self.active and code not in held:
                yield self._end(code)
        self.last = history[-1] if history else self.last

    def _unseen(self, history: Sequence[VerdictChange]) -> Sequence[VerdictChange]:
        if self.last is None:
            return history
        for place in range(len(history) - 1, -1, -1):
            if history[place] == self.last:
                return history[place + 1 :]
        # The log was rewritten, or is read in another way now: only the present counts.
        return ()

    def _lasts(self, holds: dict[str, _Hold], code: str, step: int | None, now: float) -> bool:
        return holds.setdefault(code, _Hold(now)).holds(step, now)

    def _begin(self, condition: Condition) -> Transition:
        code, severity, since, _ = condition
        self._pending.pop(code, None)
        self.active[code] = _Active(severity, since)
        self.onsets[code] = self.onsets.get(code, 0) + 1
        return Transition(Change.ONSET, code, severity, since, self.onsets[code])

    def _worsen(self, code: str, severity: Severity) -> Transition:
        active = self.active[code]
        active.severity = severity
        return Transition(Change.WORSE, code, severity, active.since_step, self.onsets[code])

    def _end(self, code: str) -> Transition:
        self._absent.pop(code, None)
        was = self.active.pop(code)
        return Transition(Change.END, code, was.severity, was.since_step, self.onsets[code])

    def dump(self) -> dict[str, Any]:
        """What must survive a restart, for JSON."""
        last = self.last
        return {
            "active": {
                code: [one.severity.value, one.since_step] for code, one in self.active.items()
            },
            "onsets": dict(self.onsets),
            "last": None if last is None else [last.step, last.code, last.severity.value],
            "identity": self.identity,
        }

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> RunTracker:
        """The opposite of `dump`."""
        last = dumped["last"]
        return cls(
            active={
                code: _Active(Severity(severity), since)
                for code, (severity, since) in dumped["active"].items()
            },
            onsets=dict(dumped["onsets"]),
            last=None if last is None else VerdictChange(last[0], last[1], Severity(last[2])),
            # Older versions knew none.
            identity=dumped.get("identity", ""),
        )


def identity_of(run: RunSnapshot) -> str:
    """The same for a run whose path was renamed, and for no other; empty where it is unknown.

    The number of the directory or the file alone would not do: file systems give it again to what
    is made after a removal. So the first point that was logged belongs to it.
    """
    try:
        status = os.stat(run.path)
    except OSError:
        # Runs of other machines and runs inside of a database have no file of their own here.
        return ""
    firsts = [
        (int(one.steps[0]), one.tag, float(one.values[0])) for one in run.series if len(one.steps)
    ]
    if not firsts:
        return ""
    described = f"{status.st_dev}:{status.st_ino}:{min(firsts)}"
    return hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()[:24]


STATES = {
    RunState.STALLED: ("stalled", Severity.WARNING),
    RunState.FAILED: ("failed", Severity.CRITICAL),
    RunState.FINISHED: ("finished", Severity.OK),
}
"""Code and severity of the states that are worth an alert."""

STATE_CODES = tuple(code for code, _ in STATES.values())
"""Codes of those states."""


class Condition(NamedTuple):
    """Something that holds of a run now.

    Attributes:
        code: Code of a finding, or of a state.
        severity: How much it matters.
        since_step: Step at which it began.
        is_settled: It has passed a hysteresis of its own: the verdict, and states.
    """

    code: str
    severity: Severity
    since_step: int
    is_settled: bool


def conditions(run: RunSnapshot) -> dict[str, Condition]:
    """Everything that holds of a run now, by code."""
    verdict = run.diagnosis.verdict
    found: dict[str, Condition] = {}
    for finding in (verdict, *run.diagnosis.findings):
        known = found.get(finding.code)
        if known is None or known.severity < finding.severity:
            found[finding.code] = Condition(
                finding.code, finding.severity, finding.since_step, finding.code == verdict.code
            )
    if run.state in STATES:
        code, severity = STATES[run.state]
        found[code] = Condition(code, severity, run.step or 0, True)
    return found
