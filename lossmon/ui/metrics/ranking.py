"""Metric order and search: by importance, by name, or by recent change; words, globs, regex."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import Kind, Meaning, MediaSeries, Series, Split
from lossmon.ui.metrics.entries import MediaEntry, MetricEntry, entries_of, find, media_entries
from lossmon.ui.metrics.names import frequencies, natural_key

_REWARD = frozenset({"reward", "rewards", "rew", "return", "returns"})
_KL = frozenset({"kl"})
_WORD = re.compile(r"[a-z]+")

_RANKS = {
    Kind.LEARNING_RATE: 3,
    Kind.METRIC: 4,
    Kind.GRAD_NORM: 5,
    Kind.LOSS: 6,
    Kind.THROUGHPUT: 7,
    Kind.OTHER: 8,
}
"""What a person asks of first, behind the loss, the reward (0) and its distance (1)."""

_PART = 9
"""Gradient norms of a part of the model."""

_GROUP = 10

_NEWEST = 5
"""The newest fifth of a series is compared with the fifth before it."""


class MetricSort(StrEnum):
    """What metrics are sorted by."""

    IMPORTANCE = "importance"
    NAME = "name"
    CHANGE = "change"


def ranked(entries: Sequence[MetricEntry], pins: Collection[str] = ()) -> list[MetricEntry]:
    """Sort entries by importance, pinned ones first."""
    return sorted(entries, key=lambda one: (one.key not in pins, *_rank(one)))


def ordered(
    entries: Sequence[MetricEntry], by: MetricSort, pins: Collection[str] = ()
) -> list[MetricEntry]:
    """Sort entries; what is equal stands in natural order of names."""
    if by is MetricSort.NAME:
        return sorted(entries, key=lambda one: natural_key(one.name))
    if by is MetricSort.CHANGE:
        return sorted(entries, key=lambda one: (-change(one), *_rank(one)))
    return ranked(entries, pins)


def _rank(entry: MetricEntry) -> tuple[object, ...]:
    lead = entry.lead
    rank, *rest = importance(lead.tag, lead.meaning)
    if entry.is_group and lead.meaning.kind is not Kind.LEARNING_RATE:
        rank = _GROUP
    is_flat = lead.n > 1 and lead.minimum == lead.maximum
    return (rank, is_flat, entry.is_group, *rest, natural_key(entry.name))


@lru_cache(16_384)
def importance(tag: str, meaning: Meaning) -> tuple[int, bool, str]:
    """Sort key of a series: its rank, eval data first, totals before parts."""
    words = set(_WORD.findall(tag.casefold()))
    kind = meaning.kind
    rank = _RANKS[kind]
    if kind in (Kind.METRIC, Kind.OTHER) and words & _REWARD:
        rank = 0
    elif kind in (Kind.METRIC, Kind.OTHER, Kind.LOSS) and words & _KL:
        rank = 1
    elif kind is Kind.GRAD_NORM and meaning.part:
        rank = _PART
    return rank, meaning.split is not Split.EVAL, meaning.part


def change(entry: MetricEntry) -> float:
    """How far the newest fifth lies from the fifth before it, as a share of the whole range."""
    values = entry.lead.values
    values = values[np.isfinite(values)]
    size = len(values) // _NEWEST
    if size < 1:
        return 0.0
    length = float(values.max()) / 2 - float(values.min()) / 2
    if not length > 0:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.mean(values[-size:] / 2) - np.mean(values[-2 * size : -size] / 2)
    return abs(float(moved)) / length if np.isfinite(moved) else 0.0


@dataclass(slots=True)
class MetricChoices:
    """Filter, order and place.

    Attributes:
        filter: What was typed to filter metrics (see `lossmon.ui.metrics.ranking`).
        sort: What they are sorted by.
        group: Key of the open group, None where all metrics are shown.
        chosen: Key of the chosen metric, None before the first choice.
        scale: Size of the charts, as a factor of the usual one.
        bands: Histograms are drawn as bands of percentiles instead of heat maps.
    """

    filter: str = ""
    sort: MetricSort = MetricSort.IMPORTANCE
    group: str | None = None
    chosen: str | None = None
    scale: float = 1.0
    bands: bool = False


_REGEX = lazy_pattern(r"[\\^$|(){}+]|\[[^\]]*-[^\]]*\]")
"""Marks that only a regular expression has."""

_GLOB = frozenset("*?[")

_PIECE = lazy_pattern(r"[-!]?/\S.*?/(?=\s|$)|\S+")
"""A word, or a regular expression between two `/`."""

NOT = ("-", "!")
"""What stands before a part that a name must not have."""


class SearchError(ValueError):
    """The text is not a regular expression, as its message says."""


def matcher(text: str) -> Callable[..., bool]:
    """A test for the names of one thing; case does not count.

    Text between two `/` or with `^ $ | ( ) { } + \\` is a regular expression that may match
    anywhere; text with `*`, `?` or `[` a glob pattern for the whole name or the end of it behind a
    `/`, and with `.*`, which may mean either, both; all other text is words that all have to occur.
    A part behind `-` or `!` excludes: none of the names may match it.

    Raises:
        SearchError: It is meant as a regular expression and is none.
    """
    parts = [one.group() for one in _PIECE.finditer(text)]
    wanted = _pattern(" ".join(one for one in parts if not one.startswith(NOT)))
    excluded = [_pattern(one[1:]) for one in parts if one.startswith(NOT) and one not in NOT]
    return lambda *names: (
        any(map(wanted, names)) and not any(one(name) for one in excluded for name in names)
    )


def _pattern(text: str) -> Callable[[str], bool]:
    if len(text) > 2 and text[0] == text[-1] == "/":
        return _regex(text[1:-1])
    if _REGEX.search(text):
        return _regex(text)
    if _GLOB & set(text):
        whole = re.compile(translate(text.casefold()))
        behind = re.compile(translate(f"*/{text.casefold()}"))
        either = _regex(text) if ".*" in text and text[0] not in _GLOB else None
        return lambda name: (
            bool(whole.match(name.casefold()) or behind.match(name.casefold()))
            or (either is not None and either(name))
        )
    words = text.casefold().split()
    return lambda name: all(word in name.casefold() for word in words)


def _regex(text: str) -> Callable[[str], bool]:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise SearchError(str(error)) from None
    return lambda name: pattern.search(name) is not None


class MetricList:
    """Metrics and media that fit the filter, in their order.

    Attributes:
        shown: They.
        counts: In how many of their names each word occurs, to shorten names by.

    Args:
        choices: What the user chose; an open group that is gone is closed.
    """

    def __init__(self, choices: MetricChoices) -> None:
        self.choices = choices
        self.shown: list[MetricEntry | MediaEntry] = []
        self.counts: Counter[str] = Counter()
        self._order: dict[str, int] = {}

    @property
    def chosen(self) -> int:
        """Place of the chosen metric."""
        return find(self.shown, self.choices.chosen)

    def forget_order(self) -> None:
        """Sort anew next time."""
        self._order = {}

    def update(
        self,
        series: Sequence[Series],
        media: Sequence[MediaSeries],
        losses: Sequence[Series | None],
        pins: Collection[str],
    ) -> None:
        """List metrics.

        Args:
            series: One per metric.
            losses: What stands first by importance, in this order.
            pins: Keys of pinned metrics.
        """
        choices = self.choices
        entries = entries_of(series)
        group = next((one for one in entries if one.key == choices.group), None)
        found: list[MediaEntry] = []
        if group is not None:
            entries = entries_of(group.members, collapse=False)
        else:
            choices.group = None
            fits = matcher(choices.filter)
            entries = entries_of([one for one in series if fits(one.tag, one.meaning.label)])
            found = media_entries(media, fits)
        self.shown = [*self._sorted(entries, losses, pins), *found]
        self.counts = frequencies(one.name for one in self.shown)

    def _sorted(
        self,
        entries: list[MetricEntry],
        losses: Sequence[Series | None],
        pins: Collection[str],
    ) -> list[MetricEntry]:
        """In their order; by change they keep it while data come, else charts would jump."""
        by = MetricSort.NAME if self.choices.group is not None else self.choices.sort
        if by is MetricSort.CHANGE and self._order:
            last = len(self._order)
            return sorted(entries, key=lambda one: self._order.get(one.key, last))
        found = ordered(entries, by, pins)
        if by is MetricSort.IMPORTANCE:
            places = {id(one): at for at, one in enumerate(losses)}
            found.sort(key=lambda one: places.get(id(one.lead), len(places)))
        self._order = {one.key: at for at, one in enumerate(found)}
        return found
