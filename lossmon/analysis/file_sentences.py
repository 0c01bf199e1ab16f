"""Sentences about files: what a run logged besides scalars, and what no reader takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lossmon.locale import phrase, translate
from lossmon.types import EMPTY, MediaKind, RunSnapshot

_WORDS = {
    MediaKind.HISTOGRAM: "{count} {count:histogram|histograms}",
    MediaKind.PR_CURVE: "{count} {count:PR curve|PR curves}",
    MediaKind.ROC_CURVE: "{count} {count:ROC curve|ROC curves}",
    MediaKind.IMAGE: "{count} {count:image|images}",
}


def about_media(run: RunSnapshot, language: str) -> str:
    """How many histograms, curves and images a run logged (`3 histograms, 1 image`).

    Args:
        run: The run; each tag counts once, however often it was logged.

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


_NONE = "no files here yet"
_EMPTY = "{name} is empty"
_ONE = "{name} is not a log in a known format"
_SEVERAL = "{count} {count:file|files} here, none with metrics: {names}"


def about_unread(path: str, seen: int, unread: Sequence[str], language: str) -> str:
    """Say which files are not read.

    Args:
        path: The path that was searched.
        seen: Regular files seen there.
        unread: Names of some that are not in a known format; none where the path is an empty file.
    """
    if not seen:
        return translate(_NONE, language)
    if seen == 1 and not unread:
        return phrase(_EMPTY, language, name=path)
    if seen == 1 and unread[0].endswith(EMPTY):
        return phrase(_EMPTY, language, name=unread[0].removesuffix(EMPTY))
    if seen == 1 and path.rpartition("/")[2] in unread:
        return phrase(_ONE, language, name=unread[0])
    empty = translate(EMPTY, language)
    named = [name.removesuffix(EMPTY) + empty if name.endswith(EMPTY) else name for name in unread]
    names = ", ".join(named) + (", …" if len(unread) < seen else "")
    return phrase(_SEVERAL, language, count=str(seen), names=names)
