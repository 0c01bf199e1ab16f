"""Sentences about what a run logged besides scalars, for the screen and for commands."""

from __future__ import annotations

from collections import Counter

from lossmon.locale import phrase
from lossmon.types import MediaKind, RunSnapshot

_WORDS = {
    MediaKind.HISTOGRAM: "{count} {count:histogram|histograms}",
    MediaKind.PR_CURVE: "{count} {count:PR curve|PR curves}",
    MediaKind.IMAGE: "{count} {count:image|images}",
}


def about_media(run: RunSnapshot, language: str) -> str:
    """How many histograms, PR curves and images a run logged (`3 histograms, 1 image`).

    Args:
        run: The run; each tag counts once, however often it was logged.
        language: Code of a language.

    Returns:
        An empty text where there are none.
    """
    counts = Counter(one.kind for one in run.media)
    return ", ".join(
        phrase(words, language, count=str(counts[kind]))
        for kind, words in _WORDS.items()
        if counts[kind]
    )


def about_logged(run: RunSnapshot, language: str) -> str:
    """What a run logged besides scalars, logged texts included; empty where there is nothing."""
    texts = ""
    if run.samples:
        texts = phrase("{count} {count:text|texts}", language, count=str(len(run.samples)))
    return ", ".join(one for one in (about_media(run, language), texts) if one)
