"""Metric names: natural order, and short forms that keep what distinguishes them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from rich.cells import cell_len

from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import Kind, Meaning, RunSnapshot, Series
from lossmon.ui.chart.model import ChartModel
from lossmon.ui.text.lines import clean, clip, clip_middle, clip_start

_DIGITS = re.compile(r"([0-9]+)")
_PIECE = lazy_pattern(r"[^/._:\s-]+|[/._:\s-]+")
_SEPARATORS = frozenset("/._:- \t")
_CAMEL = re.compile(r"[A-Za-z0-9]*[a-z][A-Z][A-Za-z0-9]*|\bA[PR]\d*[a-z]?\b")
_FIRST = lazy_pattern(r"[ /]")
_NOT_ALNUM = lazy_pattern(r"[^0-9a-z]+")

_PER_SECOND = re.compile(r"[_ ]per[_ ]sec(?:ond)?(?![A-Za-z0-9])")

_SPLITS = frozenset({"train", "eval", "test", "val", "valid", "validation"})

_OWN_WORDS = (Kind.LOSS, Kind.METRIC)
"""Kinds whose label is always better known than their tag."""


@lru_cache(16_384)
def natural_key(name: str) -> tuple[object, ...]:
    """Sort key in which numbers count as numbers: `layer.2` comes before `layer.10`."""
    parts = _DIGITS.split(name.casefold())
    # Texts and numbers alternate, so that keys always compare like with like. A number is
    # compared by its length and digits: `int` refuses those of hostile length.
    return tuple(
        (len(part.lstrip("0")), part.lstrip("0")) if at % 2 else part
        for at, part in enumerate(parts)
    )


def display_name(series: Series) -> str:
    """Name of a series on the screen: the field's words where there are some, else its tag."""
    return _display_name(series.tag, series.meaning)


def named(model: ChartModel, run: RunSnapshot, shown: Sequence[int]) -> ChartModel:
    """A chart whose curves have the names that titles give them.

    Args:
        shown: Indices into its series, one per curve.
    """
    pairs = zip(model.curves, shown, strict=True)
    curves = (replace(curve, name=display_name(run.series[index])) for curve, index in pairs)
    return replace(model, curves=tuple(curves))


@lru_cache(16_384)
def _display_name(tag: str, meaning: Meaning) -> str:
    label = clean(meaning.label or tag)
    if meaning.kind in _OWN_WORDS:
        return _cased(label, clean(tag))
    if meaning.kind in (Kind.LEARNING_RATE, Kind.GRAD_NORM):
        return min(clean(tag), label, key=len) if meaning.part else label
    # A label that only repeats the key is the tag without its punctuation.
    return clean(tag) if _letters(meaning.key).endswith(_letters(label)) else label


def _cased(label: str, tag: str) -> str:
    """A label in which words that the tag writes in camel case, and the AP and AR of a detection,
    are written like that."""
    camels = {word.casefold(): word for word in _CAMEL.findall(tag)}
    return " ".join(camels.get(word, word) for word in label.split(" ")) if camels else label


def _letters(text: str) -> str:
    return _NOT_ALNUM.sub("", text.casefold())


def shared_prefix(names: Sequence[str]) -> str:
    """What all names begin with, up to the last separator; empty for fewer than two names."""
    if len(names) < 2:
        return ""
    start = shared_start(names)
    while start and start[-1] not in _SEPARATORS:
        start = start[:-1]
    return start


def frequencies(names: Iterable[str]) -> Counter[str]:
    """In how many names each word occurs."""
    return Counter(word for name in names for word in set(_words(name)))


def shortened(name: str, room: int, counts: Mapping[str, int]) -> str:
    """Shorten a name to `room` cells; the words that most names have are left out first.

    Args:
        room: Cells.
        counts: In how many of the names beside it each word occurs (see `frequencies`).
    """
    pieces = _pieces(_PER_SECOND.sub("/s", name))
    kept = {at for at, piece in enumerate(pieces) if piece[0] not in _SEPARATORS}
    dropped = []
    while _size(text := _joined(pieces, kept)) > room and len(kept) > 1:
        # Of words equally common the first goes: a name becomes more special towards its end. The
        # split goes last, however common: of two names it is often all that differs.
        dropped.append(max(kept, key=lambda at: (_commonness(pieces, at, counts), -at)))
        kept.remove(dropped[-1])
    for at in reversed(dropped):
        # A long word that went last may have left room for short ones, or for its beginning.
        for piece in (pieces[at], *_heads(pieces[at])):
            filled = [*pieces[:at], piece, *pieces[at + 1 :]]
            if _size(longer := _joined(filled, kept | {at})) <= room:
                pieces, text = filled, longer
                kept.add(at)
                break
    return text if _size(text) <= room else clip_middle(text, room)


def _size(text: str) -> int:
    """Cells of a text. Rich measures the ellipsis slowly, as it does every mark beyond Latin."""
    return cell_len(text.replace("…", "."))


def _heads(word: str) -> Iterable[str]:
    """The beginnings of a word, the longest first, of three characters at least."""
    return (word[:size] + "…" for size in range(len(word) - 2, 2, -1))


def _commonness(pieces: Sequence[str], at: int, counts: Mapping[str, int]) -> int:
    return -1 if at == 0 and pieces[at] in _SPLITS else counts.get(pieces[at], 0)


def short_names(
    names: Sequence[str], room: int, counts: Mapping[str, int] | None = None
) -> list[str]:
    """Shorten different names to `room` cells each, at least eight; they stay different.

    Words that most names have are left out first. Where no cut tells two names apart they are
    numbered.

    Args:
        room: Cells.
        counts: In how many names each word occurs (see `frequencies`); by default in these.
    """
    counts = frequencies(names) if counts is None else counts
    names = [one if cell_len(one) <= room else two for one, two in _without_train(names)]
    texts = [name if cell_len(name) <= room else shortened(name, room, counts) for name in names]
    for places in _alike(texts):
        cut = _cut_apart([names[at] for at in places], room)
        for at, text in zip(places, cut, strict=True):
            texts[at] = text
    taken = set(texts)
    for places in _alike(texts):
        number = 1
        for at in places[1:]:
            text = texts[at]
            while text in taken:
                number += 1
                mark = f"~{number}"
                text = clip_middle(texts[at], max(1, room - len(mark))) + mark
            taken.add(text)
            texts[at] = text
    return texts


def _without_train(names: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Each name, and the same without its leading `train` where no other name is told from it by
    that word: most metrics are those of the training."""
    ends = Counter(map(_behind_split, names))
    for name in names:
        end = _behind_split(name) if name.startswith(("train ", "train/")) else name
        yield name, end if ends[end] == 1 else name


def _behind_split(name: str) -> str:
    first, *rest = _FIRST.split(name, maxsplit=1)
    return rest[0] if rest and first in _SPLITS else name


def _alike(texts: Sequence[str]) -> list[list[int]]:
    """The places of each text that occurs more than once."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        places[text].append(at)
    return [found for found in places.values() if len(found) > 1]


def _cut_apart(names: Sequence[str], room: int) -> list[str]:
    """Short forms of names that had the same one: around where they begin to differ."""
    start = len(shared_start(names))
    size = len(shared_start([name[start:][::-1] for name in names]))
    middles = [name[start : len(name) - size] for name in names]
    most = max(map(cell_len, middles))
    if most + 2 > room:
        # A name without a part of its own is the one that is shown by its ends.
        cut = [
            f"…{middle}" if middle else name for middle, name in zip(middles, names, strict=True)
        ]
        return [clip_middle(text, room).replace("……", "…") for text in cut]
    # Head and tail share what the differing part leaves.
    left = room - most
    tail = names[0][len(names[0]) - size :]
    tail = tail if cell_len(tail) <= left // 2 else clip(tail, left // 2)
    head = clip_start(names[0][:start], left - cell_len(tail))
    return [f"{head}{middle}{tail}" for middle in middles]


def shared_start(names: Sequence[str]) -> str:
    """The characters that all names begin with; at least one name."""
    first, last = min(names), max(names)
    alike = (one == other for one, other in zip(first, last, strict=False))
    return first[: next((at for at, same in enumerate(alike) if not same), len(first))]


def _joined(pieces: Sequence[str], kept: set[int]) -> str:
    text = ""
    gap = False
    for at, piece in enumerate(pieces):
        if at in kept:
            text += ("…" if gap else "") + piece.removesuffix("…")
            gap = piece.endswith("…")
        elif piece[0] not in _SEPARATORS:
            text, gap = text.rstrip("/._:- \t") if not gap else text, True
        elif not gap:
            text += piece
    return text + ("…" if gap else "")


def _pieces(name: str) -> Sequence[str]:
    return _PIECE.findall(name)


@lru_cache(16_384)
def _words(name: str) -> tuple[str, ...]:
    return tuple(piece for piece in _pieces(name) if piece[0] not in _SEPARATORS)
