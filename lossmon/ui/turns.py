"""Changes of the badge, in words."""

from __future__ import annotations

from lossmon.diagnosis.advice import advise
from lossmon.types import Confidence, Finding, Turn
from lossmon.ui.lines import clean


def word_of(turn: Turn, language: str) -> str:
    """The word that the badge showed then."""
    finding = Finding(turn.code, turn.severity, turn.step, Confidence.HIGH)
    return clean(advise(finding, language).word)
