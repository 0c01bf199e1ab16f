"""Findings, verdicts and advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum, StrEnum

from lossmon.fast_dataclass import dataclass


class Severity(IntEnum):
    """How much a finding matters, worst last."""

    NEUTRAL = 0
    OK = 1
    NOTICE = 2
    WARNING = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The lower-case name that reports print."""
        return self.name.lower()


class Confidence(StrEnum):
    """How sure a finding is: three words, never a made-up percentage."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the curves show.

    Attributes:
        code: Stable name (`overfitting`), see the `check` contract.
        severity: How much it matters.
        since_step: Estimated onset: the step at which the condition began.
        confidence: How sure it is.
        facts: Numbers behind it, for the evidence sentence of the chosen language. Values are
            numbers or short words; keys are the placeholders of the language files.
        variant: Which sentences of the language file apply (`suspected`, `masked`), or empty.
    """

    code: str
    severity: Severity
    since_step: int
    confidence: Confidence
    facts: Mapping[str, float | int | str] = field(default_factory=dict)
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding in the words of one language.

    Attributes:
        badge: What the badge shows: `OVERFITTING`.
        evidence: One line of numbers.
        short: The same in the few cells of a narrow screen; empty where there is no such text.
        meaning: What that means, plainly.
        remedies: What to try, most useful first.
        could_also_be: What looks alike, and how to tell.
        would_change_if: What would change the verdict.
    """

    badge: str
    evidence: str
    meaning: str
    remedies: tuple[str, ...]
    could_also_be: str = ""
    would_change_if: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """The badge changed.

    Attributes:
        step: Step at which the new verdict was shown.
        code: Code of the new verdict.
        severity: Its severity.
        variant: Its variant, see `Finding`.
        hardware: A finding about the hardware became the badge, or left it to this verdict.
    """

    step: int
    code: str
    severity: Severity
    variant: str = ""
    hardware: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the train loss is going, with an honest interval (absent where the fit is poor)."""

    final_loss: float
    low: float
    high: float
    flat_step: int | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the engine says of one run at this moment.

    Attributes:
        verdict: The badge.
        findings: All that is active, worst first; the verdict among them.
        history: Every verdict in the order it became the badge.
        missing: What cannot be judged and why ("no eval loss in this run: …"), as codes for
            the language files.
        forecast: Extrapolated end of the curve, or None.
    """

    verdict: Finding
    findings: tuple[Finding, ...]
    history: tuple[VerdictChange, ...]
    missing: tuple[str, ...] = ()
    forecast: Forecast | None = None

    @property
    def curve_history(self) -> tuple[VerdictChange, ...]:
        """The history of the verdicts about the curves alone: the same whenever one looks."""
        return tuple(change for change in self.history if not change.hardware)


WARMING_UP = Finding("warming_up", Severity.NEUTRAL, 0, Confidence.HIGH)
"""What is known of a run that has logged nothing yet."""


UNJUDGED = Diagnosis(WARMING_UP, (WARMING_UP,), ())
"""What is said of a run while its files are read for the first time: nothing."""
