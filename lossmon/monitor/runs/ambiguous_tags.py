"""Ambiguous tags: series whose name does not say what they are, and what each may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from lossmon.lazy_pattern import lazy_pattern
from lossmon.store.merge import AGREEMENT, ROUNDED
from lossmon.types import (
    METRIC_WORDS,
    AmbiguityReason,
    AmbiguousTag,
    Kind,
    MetricNames,
    Series,
    Split,
)
from lossmon.types.hardware import is_recorded

ENOUGH = 5
"""Points from which on a series may be the loss; a mean per epoch has fewer at first."""

MOST = 32
"""Most series that the user is asked about."""

_RANK = lazy_pattern(r"(?:^| )rank[-_]?\d+$")
_MEASURED = lazy_pattern(r"(?:^|[/_. ])(?:time|memory|mem|bytes)(?:[/_. ]|$)", re.IGNORECASE)
"""Names of durations and amounts of memory, which no training minimises."""
_NUMBERED = lazy_pattern(r"\d{1,3}|[a-z]")
"""Name of a loss component that is only a number or a letter."""
_VAGUE = re.compile(r"(?i)(?:^|/)(?P<what>scores?|metrics?|results?|values?|fitness|quality)$")

_EVAL_SET = lazy_pattern(r"validation_(?P<number>[01])-(?P<metric>.+)")
"""Name of a metric of one of XGBoost's eval sets; any of them may be the train set."""


def ambiguous_tags(
    series: Sequence[Series], train: int | None, eval_: int | None, overrides: TagOverrides
) -> tuple[AmbiguousTag, ...]:
    """Return the series that the user can be asked about, the most important first."""
    found: dict[str, AmbiguousTag] = {}
    if train is None:
        found.update((one.tag, one) for one in _eval_sets(series))
    heads = ((train, "train_loss"), (eval_, "eval_loss"))
    for index, setting in heads:
        if index is not None and setting not in overrides.known:
            for one in _about(series, series[index], setting):
                found.setdefault(one.tag, one)
    if train is None and eval_ is None:
        for one in _nameless(series):
            found.setdefault(one.tag, one)
    for one in _vague(series, train, eval_):
        found.setdefault(one.tag, one)
    asked = [
        one
        for one in found.values()
        if one.tag not in overrides.tags and one.candidates[0] not in overrides.known
    ]
    return tuple(asked[:MOST])


def _eval_sets(series: Sequence[Series]) -> Iterator[AmbiguousTag]:
    """The losses of two eval sets where the numbers do not say which is the train set."""
    sets: dict[str, list[str]] = {}
    for one in series:
        is_set = one.meaning.kind is Kind.LOSS and one.n >= ENOUGH
        if is_set and (named := _EVAL_SET.fullmatch(one.tag)):
            sets.setdefault(named["metric"], []).append(one.tag)
    for tags in sets.values():
        if len(tags) > 1:
            for tag in sorted(tags):
                yield AmbiguousTag(tag, ("train_loss", "eval_loss"), AmbiguityReason.VAGUE)


def _about(series: Sequence[Series], head: Series, setting: str) -> Iterator[AmbiguousTag]:
    """Series that may be the headline instead of the one shown."""
    for one in series:
        if one is not head and _rivals(one, head):
            yield AmbiguousTag(one.tag, (setting,), AmbiguityReason.CALLED_ALIKE, head.tag)
    if not head.meaning.part:
        return
    parts = [
        one
        for one in series
        if _is_loss(one, head.meaning.split)
        and one.meaning.part
        and (one is head or not _is_same(one, head))
    ]
    if len(parts) > 1:
        for one in parts:
            yield AmbiguousTag(one.tag, (setting,), AmbiguityReason.NO_TOTAL, head.tag)


def _rivals(one: Series, head: Series) -> bool:
    """Whether another series may be the headline: as frequent, with other values."""
    what = one.meaning
    alike = (what.key, what.part) == (head.meaning.key, head.meaning.part)
    if not alike or what.secondary or what.summary or one.n < max(ENOUGH, head.n / 2):
        return False
    return not _is_same(one, head)


def _is_same(one: Series, other: Series) -> bool:
    """Whether two series hold the same values, to the digits that were printed."""
    if one.n != other.n or len(one) != len(other):
        return False
    close = partial(np.isclose, rtol=AGREEMENT, atol=ROUNDED, equal_nan=True)
    return bool(close(one.last, other.last)) and bool(close(one.values, other.values).all())


def _is_loss(one: Series, split: Split) -> bool:
    what = one.meaning
    mine = what.kind is Kind.LOSS and what.split is split and not what.summary
    return mine and one.n >= ENOUGH and not _RANK.search(what.part)


def _nameless(series: Sequence[Series]) -> Iterator[AmbiguousTag]:
    """Series that may be the loss where none is known as one."""
    for one in series:
        what = one.meaning
        if what.kind is not Kind.OTHER or what.summary or what.key in ("epoch", "tokens"):
            continue
        if one.n < ENOUGH or is_recorded(what.key) or _MEASURED.search(one.tag):
            continue
        may_be = ("train_loss", "eval_loss")
        held_out = what.split is Split.EVAL
        yield AmbiguousTag(one.tag, may_be[::-1] if held_out else may_be, AmbiguityReason.NO_LOSS)


def _vague(
    series: Sequence[Series], train: int | None, eval_: int | None
) -> Iterator[AmbiguousTag]:
    """Series whose name says what kind they are, but not which one."""
    for index, one in enumerate(series):
        if one.n < ENOUGH or index in (train, eval_):
            continue
        shown = next((series[i].tag for i in (train, eval_) if i is not None), "")
        if one.meaning.kind is Kind.LOSS and _NUMBERED.fullmatch(one.meaning.part):
            yield AmbiguousTag(one.tag, ("train_loss", "eval_loss"), AmbiguityReason.VAGUE, shown)
        elif one.meaning.kind in (Kind.METRIC, Kind.OTHER) and (what := _VAGUE.search(one.tag)):
            name = what["what"].lower()
            yield AmbiguousTag(
                one.tag, (f"eval_{name}", f"train_{name}", "eval_loss"), AmbiguityReason.VAGUE
            )


def tags_of(names: MetricNames, name: str) -> tuple[str, ...]:
    """The raw tags of a canonical name or word."""
    tags = names.get(name, ())
    return (tags,) if isinstance(tags, str) else tags


class TagOverrides:
    """The user's names of metrics that apply to one run.

    The settings hold for all runs of a user: `train_loss = "my/loss"` means the runs that log
    `my/loss`, and changes nothing in others.

    Attributes:
        known: Those that apply to the run. Of several tags of one quantity, the first it logs.
        tags: Every tag that the user named.
    """

    def __init__(self, names: MetricNames) -> None:
        self._names = names
        self._logged: set[str] = set()
        self.known: MetricNames = {}
        self.tags: frozenset[str] = frozenset()
        self.set(names)

    def set(self, names: MetricNames) -> bool:
        """Replace the names; True if those that apply to the run have changed."""
        self._names = names
        self.tags = frozenset(tag for name in names for tag in tags_of(names, name))
        return self._update()

    def add(self, tags: Iterable[str]) -> bool:
        """Add tags that the run logs; True if the names that apply to it have changed."""
        fresh = frozenset(tags) - self._logged
        self._logged |= fresh
        return bool(fresh & self.tags) and self._update()

    def _update(self) -> bool:
        before = self.known
        logged = {
            name: tuple(tag for tag in tags_of(self._names, name) if tag in self._logged)
            for name in self._names
        }
        self.known = {
            name: tags if name in METRIC_WORDS else tags[:1]
            for name, tags in logged.items()
            if tags
        }
        return self.known != before
