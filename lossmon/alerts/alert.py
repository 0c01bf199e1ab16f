"""Alerts, and the messages that channels send."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from lossmon import locale
from lossmon.alerts.tracker import STATE_CODES, Change, Transition
from lossmon.analysis.sentences import remedies
from lossmon.diagnosis.advice import advise
from lossmon.fast_dataclass import dataclass
from lossmon.reports.record import record
from lossmon.sanitize import one_line
from lossmon.types import Confidence, Finding, RunSnapshot, Severity

OWN = "lossmon"
"""Kind of the alerts that are about lossmon itself."""

NAMES = 10
"""Runs that a message for several of them names; the JSON has all."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One transition of one run, or something about lossmon itself.

    Attributes:
        id: The same for the same transition however often it is worked out or sent.
        kind: `onset`, `worse` or `end`; `lossmon` where it is about lossmon itself.
        code: Code of the condition.
        severity: Its severity.
        time: Seconds since the Unix epoch.
        run: Name of the run, or empty.
        path: Its own directory or file, or empty.
        since_step: Step at which the condition began, or None.
        word: The condition as a badge shows it, in the language of the user.
        text: Evidence and what to do first, as lines.
        record: The run as `check --json` describes it; None where there is none.
    """

    id: str
    kind: str
    code: str
    severity: Severity
    time: float
    run: str = ""
    path: str = ""
    since_step: int | None = None
    word: str = ""
    text: tuple[str, ...] = ()
    record: Mapping[str, Any] | None = None

    def dump(self) -> str:
        """The alert as JSON, for the journal."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({**values, "severity": self.severity.value})

    @classmethod
    def load(cls, dumped: str) -> Alert:
        """The opposite of `dump`."""
        values = json.loads(dumped)
        return cls(
            **{**values, "severity": Severity(values["severity"]), "text": tuple(values["text"])}
        )


def alert_of(run: RunSnapshot, transition: Transition, now: float, language: str) -> Alert:
    """Describe a transition of a run."""
    code = transition.code
    word, text = _words(run, transition, language)
    if transition.change is Change.END:
        word, text = locale.section("alerts", language)["over"].format(word=word), ()
    return Alert(
        id=_identity(str(run.path), *map(str, transition)),
        kind=transition.change.value,
        code=code,
        severity=transition.severity,
        time=now,
        run=run.name,
        path=str(run.path),
        since_step=transition.since_step,
        word=word,
        text=text,
        record=record(run, language),
    )


def own_alert(
    code: str,
    severity: Severity,
    now: float,
    language: str,
    values: Mapping[str, str],
    run: RunSnapshot | None = None,
) -> Alert:
    """An alert about what lossmon itself did or could not do.

    Args:
        code: Its texts stand under this code in `[alerts]` of the language file.
        now: Seconds since the Unix epoch.
        language: `en` or `zh`.
        values: What the texts are filled with.
        run: The run that it is about, or None.
    """
    texts = locale.section("alerts", language)[code]
    word, text = (texts[part].format_map(values) for part in ("word", "text"))
    if run is None:
        identity = _identity(code, f"{now:.3f}", *values.values())
        return Alert(identity, OWN, code, severity, now, word=word, text=(text,))
    path, since = str(run.path), run.diagnosis.verdict.since_step
    identity = _identity(code, path, str(since))
    described = record(run, language)
    return Alert(
        identity, OWN, code, severity, now, run.name, path, since, word, (text,), described
    )


def _words(run: RunSnapshot, transition: Transition, language: str) -> tuple[str, tuple[str, ...]]:
    """The condition in a word, and the lines that explain it."""
    code, texts = transition.code, locale.section("alerts", language)
    if code in STATE_CODES and code != run.diagnosis.verdict.code:
        step = "–" if run.step is None else f"{run.step:,}"
        reason = run.state_reason or "–"
        return texts[code]["word"], (texts[code]["text"].format(step=step, reason=reason),)
    found = (run.diagnosis.verdict, *run.diagnosis.findings)
    finding = next((one for one in found if one.code == code), None)
    if finding is None:
        past = Finding(code, transition.severity, transition.since_step, Confidence.HIGH)
        step = f"{transition.since_step:,}"
        return advise(past, language).badge, (texts["past"].format(step=step),)
    words = advise(finding, language)
    first = remedies(run, language) if finding is run.diagnosis.verdict else words.remedies
    return words.badge, (words.evidence, *first[:1])


def _identity(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends: one alert, or several of one kind and code.

    Attributes:
        alerts: At least one, oldest first.
        language: `en` or `zh`.
    """

    alerts: tuple[Alert, ...]
    language: str = "en"

    @property
    def id(self) -> str:
        """The same when it is sent again after a failure that may have been none."""
        ids = [alert.id for alert in self.alerts]
        return ids[0] if len(ids) == 1 else _identity(*ids)

    @property
    def severity(self) -> Severity:
        """The highest of its alerts."""
        return max(alert.severity for alert in self.alerts)

    @property
    def runs(self) -> tuple[str, ...]:
        """Names of its runs, each path once."""
        names = {alert.path: one_line(alert.run) for alert in self.alerts if alert.path}
        return tuple(names.values())

    @property
    def title(self) -> str:
        """One line: which run, and what."""
        alert, runs = self.alerts[-1], self.runs
        if not runs:
            return one_line(alert.word)
        named = runs[0]
        if len(runs) > 1:
            named = locale.section("alerts", self.language)["several"].format(count=len(runs))
        return f"{named}: {one_line(alert.word)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The text below the title."""
        alert, runs = self.alerts[-1], self.runs
        if len(runs) > 1:
            more = len(runs) - NAMES
            texts = locale.section("alerts", self.language)
            return (*runs[:NAMES], *([texts["more"].format(count=more)] if more > 0 else []))
        lines = [*alert.text, alert.path]
        if len(self.alerts) > 1:
            texts = locale.section("alerts", self.language)
            lines.insert(0, texts["again"].format(count=len(self.alerts)))
        return tuple(one_line(line) for line in lines if line)

    @property
    def body(self) -> str:
        """The text below the title, as one string."""
        return "\n".join(self.lines)

    def described(self) -> dict[str, Any]:
        """The shape of `check --json` plus `event`; of several runs the last."""
        alert = self.alerts[-1]
        record = alert.record or {"run": None, "path": None}
        return {**record, "event": {**_event(alert), "id": self.id, **self._together()}}

    def _together(self) -> dict[str, Any]:
        return {
            "severity": self.severity.word,
            "title": self.title,
            "text": self.body,
            "count": len(self.alerts),
            "runs": [
                {
                    "id": alert.id,
                    "run": alert.run,
                    "path": alert.path,
                    "since_step": alert.since_step,
                }
                for alert in self.alerts
                if alert.path
            ],
        }

    def json(self) -> str:
        """The description on one line, in ASCII."""
        return json.dumps(self.described(), allow_nan=False)


def _event(alert: Alert) -> dict[str, Any]:
    return {
        "kind": alert.kind,
        "code": alert.code,
        "since_step": alert.since_step,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(alert.time)),
    }
