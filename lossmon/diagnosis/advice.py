"""Advice: the evidence, meaning and remedies of a finding in one language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lossmon.lazy_pattern import lazy_pattern
from lossmon.locale import ENGLISH, Values, section
from lossmon.types import Advice, Finding


def advise(finding: Finding, language: str = ENGLISH, over: bool = False) -> Advice:
    """The finding in words: badge, evidence, meaning, remedies.

    An unknown language is answered in English. Of a finding without any facts, as another program
    reports it, the sentences that need some are left out. Of a run that is `over`, some remedies
    differ.
    """
    texts = _texts(finding.code, finding.variant, language)
    terms = section("terms", language)
    facts = {key: _text(key, value, terms) for key, value in finding.facts.items()}
    values = Values(facts) if facts else facts
    remedies = texts.get("over", texts["remedies"]) if over else texts["remedies"]
    return Advice(
        badge=texts["badge"],
        evidence=_filled(_evidence(texts, facts), values),
        meaning=_filled(texts["meaning"], values),
        remedies=tuple(text for one in remedies if (text := _filled(one, values))),
        could_also_be=texts.get("could_also_be", ""),
        would_change_if=texts.get("would_change_if", ""),
        short=_filled(texts.get("short", ""), values),
    )


def badge_of(code: str, variant: str = "", language: str = ENGLISH) -> str:
    """What the badge shows for a verdict."""
    return str(_texts(code, variant, language)["badge"])


def codes() -> tuple[str, ...]:
    """Every finding that has texts, in the order of the language file."""
    return tuple(section("advice", ENGLISH))


def explain_missing(code: str, language: str = ENGLISH) -> str:
    """One line on what cannot be judged and why; the code itself where it has no text."""
    return str(section("missing", language).get(code, code.replace("_", " ")))


def _texts(code: str, variant: str, language: str) -> dict[str, Any]:
    """The texts of a code, those of its variant laid over them."""
    texts = section(f"advice.{code}", language)
    if not texts:
        plain = code.replace("_", " ")
        return {"badge": plain.upper(), "evidence": plain, "meaning": plain, "remedies": []}
    own = texts.get("variants", {}).get(variant, {})
    merged = {**texts, **own}
    if "evidence" in own and "short" not in own:
        merged.pop("short", None)
    if "remedies" in own and "over" not in own:
        merged.pop("over", None)
    return merged


_PLACEHOLDER = lazy_pattern(r"\{(\w+)")


def _evidence(texts: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """The sentence with percentages, or where a loss below zero has none, that with levels."""
    template = str(texts["evidence"])
    known = facts.keys() >= set(_PLACEHOLDER.findall(template))
    return template if known or not facts else str(texts.get("levels", template))


def _filled(template: str, values: Mapping[str, str]) -> str:
    try:
        return template.format_map(values)
    except KeyError:
        return ""


def _text(key: str, value: float | int | str, terms: Mapping[str, str]) -> str:
    """A fact as people write it: three digits that matter, percentages with fewer.

    Zeros at the end are kept in what is measured, so that a live sentence does not move.
    """
    if isinstance(value, str):
        return terms.get(value, value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "–"
    if key.endswith("percent"):
        return _percent(value)
    digits = 4 if abs(value) >= 10 else 3
    return f"{value:.{digits}g}" if key.startswith(_CHOSEN) else _measured(value, digits)


_CHOSEN = ("rate", "minutes", "watts", "mhz", "usual", "degrees", "size_", "free_", "total_")
"""How facts begin that are settings, sizes or counts: their zeros say nothing."""


def _measured(value: float, digits: int) -> str:
    if 0 < abs(value) < 1e-3 or abs(value) >= 1e6:
        return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    if abs(value) >= 1e3:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}" if value else "0"


MOST_PERCENT = 999
"""Percentages beyond are shown as `>999`: only an explosion is larger."""


def _percent(value: float) -> str:
    if abs(value) > MOST_PERCENT:
        return f">{MOST_PERCENT}" if value > 0 else f"<-{MOST_PERCENT}"
    if 99 < value < 100:
        return f"{min(value, 99.9):.1f}"
    return f"{value:.0f}" if abs(value) >= 9.5 else f"{value:.1f}"
