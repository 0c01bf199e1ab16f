"""Word-by-word difference of two model outputs."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass

FARTHEST = 500
"""Words that may differ before two texts are compared line by line: the time grows with the
square, and this takes a tenth of a second."""

_LETTERS = "぀-ヿ㐀-䶿一-鿿가-힯豈-﫿"
"""Letters of scripts without blanks between words."""

_SIGNS = r"!-/:-@\[-\^`{-~\u2000-\u206f\u3000-\u303f\uff00-\uffef"
"""Punctuation, ASCII and beyond. All else makes words, with accents and vowel signs."""

_WORD = re.compile(rf"\n|[^\S\n]+|[{_LETTERS}]|[^\s{_LETTERS}{_SIGNS}]+|.", re.DOTALL)
"""A line end, whitespace, a letter of a script without spaces, a word, or another character."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class DiffWord(NamedTuple):
    """A piece of an output.

    Attributes:
        text: A word, whitespace or a line end.
        changed: The other output does not have it here.
    """

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class TextDiff:
    """Two texts, word by word.

    Attributes:
        before: The words of the first; those that are gone are changed.
        after: The words of the second; those that are new are changed.
    """

    before: tuple[DiffWord, ...]
    after: tuple[DiffWord, ...]

    @property
    def gone(self) -> int:
        """Words of the first text that are gone, blanks apart."""
        return sum(word.changed and not word.text.isspace() for word in self.before)

    @property
    def new(self) -> int:
        """Words of the second text that are new, blanks apart."""
        return sum(word.changed and not word.text.isspace() for word in self.after)


def words(text: str) -> list[str]:
    """A text in pieces that make it up again."""
    return _WORD.findall(text)


def diff(before: str, after: str) -> TextDiff:
    """Compare two texts by words; by lines first where most of them differ."""
    old, new = words(before), words(after)
    same = matches(old, new)
    if same is None:
        return _by_lines(before, after)
    return _both(old, new, same)


def _by_lines(before: str, after: str) -> TextDiff:
    old, new = _LINE.findall(before), _LINE.findall(after)
    same = _anchors(old, new)
    left: list[DiffWord] = []
    right: list[DiffWord] = []
    at, place = 0, 0
    for i, j in (*same, (len(old), len(new))):
        gone, came = words("".join(old[at:i])), words("".join(new[place:j]))
        inner = _both(gone, came, matches(gone, came, FARTHEST // 4) or [])
        left += inner.before
        right += inner.after
        if i < len(old):
            left += [DiffWord(text) for text in words(old[i])]
            right += [DiffWord(text) for text in words(new[j])]
        at, place = i + 1, j + 1
    return TextDiff(tuple(left), tuple(right))


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Lines that occur once in each text: the longest subsequence in the same order."""
    counts, others = Counter(old), Counter(new)
    places = {line: at for at, line in enumerate(new) if others[line] == 1}
    pairs = [
        (i, places[line]) for i, line in enumerate(old) if counts[line] == 1 and line in places
    ]
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (_, j) in enumerate(pairs):
        rank = bisect_left(ends, j)
        before.append(last[rank - 1] if rank else -1)
        ends[rank : rank + 1], last[rank : rank + 1] = [j], [at]
    chain: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _both(old: Sequence[str], new: Sequence[str], same: list[tuple[int, int]]) -> TextDiff:
    # Whitespace first: a word between two changes begins and ends with it.
    kept = _without_crumbs(old, new, _without_crumbs(old, new, same, 0), CRUMB)
    return TextDiff(_marked(old, {at for at, _ in kept}), _marked(new, {at for _, at in kept}))


CRUMB = 3
"""Words between two larger changes that count as changed too: in two
different sentences a `the` is the same by chance."""


def _without_crumbs(
    old: Sequence[str], new: Sequence[str], same: list[tuple[int, int]], largest: int
) -> list[tuple[int, int]]:
    """Without short equal passages between larger changes on both sides."""
    kept: list[tuple[int, int]] = []
    blocks = _blocks(same)
    for at, block in enumerate(blocks):
        (i, j), (x, y) = block[0], block[-1]
        before = blocks[at - 1][-1] if at else (-1, -1)
        after = blocks[at + 1][0] if at + 1 < len(blocks) else (len(old), len(new))
        ink = _ink(old, i, x + 1)
        sides = (
            _ink(old, before[0] + 1, i) + _ink(new, before[1] + 1, j),
            _ink(old, x + 1, after[0]) + _ink(new, y + 1, after[1]),
        )
        if ink > largest or 2 * ink > min(sides) or not min(sides):
            kept += block
    return kept


def _blocks(same: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Places that follow one another in both texts."""
    blocks: list[list[tuple[int, int]]] = []
    for place in same:
        if blocks and blocks[-1][-1] == (place[0] - 1, place[1] - 1):
            blocks[-1].append(place)
        else:
            blocks.append([place])
    return blocks


def _ink(pieces: Sequence[str], start: int, stop: int) -> int:
    """Words in a part of a text, blanks apart."""
    return sum(not pieces[at].isspace() for at in range(start, stop))


def _marked(pieces: Sequence[str], same: set[int]) -> tuple[DiffWord, ...]:
    """Say which pieces changed; a blank between two that did belongs to them."""
    changed = [at not in same for at in range(len(pieces))]
    for at in range(1, len(pieces) - 1):
        if pieces[at].isspace() and pieces[at] != "\n" and changed[at - 1]:
            changed[at] = changed[at] or changed[at + 1]
    return tuple(DiffWord(text, is_new) for text, is_new in zip(pieces, changed, strict=True))


def matches(
    old: Sequence[str], new: Sequence[str], farthest: int = FARTHEST
) -> list[tuple[int, int]] | None:
    """Places of the longest common subsequence; None where more than `farthest` words differ.

    Myers' greedy algorithm: the time grows with the number of differences.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    most = min(len(old), len(new)) - head
    while tail < most and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    inner = _shortest(old[head : len(old) - tail], new[head : len(new) - tail], farthest)
    if inner is None:
        return None
    ends = ((len(old) - tail + at, len(new) - tail + at) for at in range(tail))
    return [
        *((at, at) for at in range(head)),
        *((head + i, head + j) for i, j in inner),
        *ends,
    ]


def _shortest(old: Sequence[str], new: Sequence[str], most: int) -> list[tuple[int, int]] | None:
    n, m = len(old), len(new)
    if not n or not m:
        return []
    farthest = {1: 0}
    trail: list[dict[int, int]] = []
    for distance in range(min(n + m, most) + 1):
        trail.append(dict(farthest))
        for diagonal in range(-distance, distance + 1, 2):
            x = _begin(farthest, diagonal, distance)
            y = x - diagonal
            while x < n and y < m and old[x] == new[y]:
                x, y = x + 1, y + 1
            farthest[diagonal] = x
            if x >= n and y >= m:
                return _back(trail, n, m)
    return None


def _begin(farthest: dict[int, int], diagonal: int, distance: int) -> int:
    down = diagonal == -distance or (
        diagonal != distance and farthest[diagonal - 1] < farthest[diagonal + 1]
    )
    return farthest[diagonal + 1] if down else farthest[diagonal - 1] + 1


def _back(trail: list[dict[int, int]], n: int, m: int) -> list[tuple[int, int]]:
    """Walk from the end to the start; what was walked diagonally is the same in both."""
    same: list[tuple[int, int]] = []
    x, y = n, m
    for distance in range(len(trail) - 1, -1, -1):
        diagonal = x - y
        start = _begin(trail[distance], diagonal, distance)
        while x > start and y > start - diagonal:
            x, y = x - 1, y - 1
            same.append((x, y))
        if distance:
            farthest = trail[distance]
            down = diagonal == -distance or (
                diagonal != distance and farthest[diagonal - 1] < farthest[diagonal + 1]
            )
            x, y = (x, y - 1) if down else (x - 1, y)
    same.reverse()
    return same
