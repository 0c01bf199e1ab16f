"""What a finding means and what to try, in the words of one language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lossmon import locale
from lossmon.types import Advice, Confidence, Finding, VerdictChange


def advise(finding: Finding, language: str = "en") -> Advice:
    """The finding in words: badge, evidence, meaning, remedies.

    An unknown language is answered in English.
    """
    entry = _entry(finding.code, finding.variant, language)
    terms = locale.section("terms", language)
    words = _Words({key: _word(key, value, terms) for key, value in finding.facts.items()})
    return Advice(
        word=entry["word"],
        evidence=entry["evidence"].format_map(words),
        means=entry["means"].format_map(words),
        remedies=tuple(remedy.format_map(words) for remedy in entry["remedies"]),
        confused_with=entry.get("confused_with", ""),
        changes=entry.get("changes", ""),
    )


def word_of(turn: VerdictChange, language: str) -> str:
    """The word that the badge showed after a change."""
    return advise(Finding(turn.code, turn.severity, turn.step, Confidence.HIGH), language).word


def codes() -> tuple[str, ...]:
    """Every finding that is written of, in the order of the language files."""
    return tuple(locale.section("advice", locale.ENGLISH))


def explain_missing(code: str, language: str = "en") -> str:
    """One line on what cannot be judged and why; the code itself where none is written."""
    return str(locale.section("missing", language).get(code, code.replace("_", " ")))


def _entry(code: str, variant: str, language: str) -> dict[str, Any]:
    """The texts of a code, those of its variant laid over them."""
    entry = locale.section("advice", language).get(code)
    if entry is None:
        plain = code.replace("_", " ")
        return {"word": plain.upper(), "evidence": plain, "means": plain, "remedies": []}
    special = entry.get("variants", {}).get(variant, {})
    return {**entry, **special}


class _Words(dict[str, str]):
    """Facts as text; one that is not known reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def _word(key: str, value: float | int | str, words: Mapping[str, str]) -> str:
    """A fact as people write it: three digits that matter, percentages with fewer."""
    if isinstance(value, str):
        return words.get(value, value)
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "–"
    if key.endswith("percent") and 99 < value < 100:
        return f"{min(value, 99.9):.1f}"
    if key.endswith(("percent", "times")) and abs(value) < 1e5:
        return f"{value:.0f}" if abs(value) >= 9.5 else f"{value:.1f}"
    return f"{value:.4g}" if abs(value) >= 10 else f"{value:.3g}"
