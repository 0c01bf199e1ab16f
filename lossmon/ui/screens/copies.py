"""Copies: what of a run can be put on the clipboard."""

from __future__ import annotations

from pathlib import Path

from lossmon.analysis.sentences import nearest_checkpoint
from lossmon.diagnosis.advice import advise
from lossmon.fast_dataclass import dataclass
from lossmon.types import UNJUDGED, RunSnapshot, Series
from lossmon.ui.text.lines import clean


@dataclass(frozen=True, slots=True)
class Copy:
    """A text for the clipboard.

    Attributes:
        what: What it is, a word of the screen.
        text: One line without control characters.
    """

    what: str
    text: str


def copies_of(run: RunSnapshot, language: str, metric: Series | None = None) -> list[Copy]:
    """What can be copied: the newest value of the chosen metric, the verdict, and the best
    checkpoint, as far as there are any. Asks the file system where the checkpoint is.

    Args:
        run: The run in view.
        language: Code of the language of the verdict.
        metric: The metric that the user chose, or None.
    """
    found = []
    if metric is not None and len(metric):
        found.append(Copy("value", f"{metric.last:.10g}"))
    if run.diagnosis is not UNJUDGED:
        advice = advise(run.diagnosis.verdict, language)
        found.append(Copy("verdict", f"{run.name}: {advice.badge}, {advice.evidence}"))
    if (best := nearest_checkpoint(run)) is not None:
        found.append(Copy("checkpoint", path_of(run.path, best.name)))
    return [Copy(copy.what, clean(copy.text)) for copy in found]


def path_of(run: Path, name: str) -> str:
    """The path of a checkpoint in or beside a run, or its name where it is in neither."""
    places = (run / name, run.parent / name)
    return next((str(place) for place in places if place.exists()), name)


def following(copies: list[Copy], last: str) -> Copy | None:
    """The copy after the one of a kind, in turn; the first where there is none of it."""
    kinds = [copy.what for copy in copies]
    at = kinds.index(last) + 1 if last in kinds else 0
    return copies[at % len(copies)] if copies else None
