"""Opening and closing text of a demo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lossmon.analysis.sentences import stop_sentence
from lossmon.demo.cases import CASES
from lossmon.diagnosis.advice import advise, badge_of
from lossmon.locale import phrase, translate
from lossmon.types import RunSnapshot

SECONDS = 15
"""Seconds within which every case shows its verdict at speed 1."""

_ONE = "demo: {badge} shows within {seconds} s: {why}"
_ONE_FAST = "demo: {badge}: {why}"
_ALL = "demo: {count} trainings side by side, each with another condition; enter opens one"
_ENDED = "The demo showed:"
_KEPT = "Saved in {path}; `lossmon {path}` shows it again."
_DROPPED = "Not saved; `lossmon demo --out DIR` saves the logs."


def opening_card(cases: Sequence[str], speed: float, language: str) -> str:
    """What will happen, and when.

    Args:
        speed: As the user gave it; 0 is as fast as possible.
    """
    if len(cases) > 1:
        return phrase(_ALL, language, count=str(len(cases)))
    case = CASES[cases[0]]
    badge = badge_of(case.expected[0], language=language)
    seconds = str(max(1, round(SECONDS / speed))) if speed else ""
    return phrase(
        _ONE if speed else _ONE_FAST, language, badge=badge, seconds=seconds, why=case.why
    )


def end_card(runs: Sequence[RunSnapshot], kept: Path | None, language: str) -> Iterator[str]:
    """The verdict of each run, what stopping would have saved, and where the logs are.

    Args:
        runs: The runs of the demo, as they are at its end.
        kept: Where the logs stay, None where they are deleted.
    """
    if runs:
        yield translate(_ENDED, language)
    for run in runs:
        words = advise(run.diagnosis.verdict, language)
        yield f"  {run.name}: {words.badge}  {words.evidence}"
        if saving := stop_sentence(run, language):
            yield f"    {saving}"
    yield phrase(_DROPPED if kept is None else _KEPT, language, path=str(kept))
