"""Metric entries: a series, or the series of all layers of a model as one group."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Kind, Meaning, MediaKind, MediaSeries, Series, Split
from lossmon.ui.metrics.names import display_name, natural_key
from lossmon.ui.text.lines import clean

FEWEST_MEMBERS = 4
"""Members of a group: fewer can be told apart at a glance."""

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])[0-9]+(?![0-9A-Za-z])"
    r"|(?<=layer)[0-9]+|(?<=block)[0-9]+|(?<=expert)[0-9]+|(?<=head)[0-9]+|(?<=stage)[0-9]+"
)


class Keyed(Protocol):
    """What is found by its key."""

    @property
    def key(self) -> str: ...


Member = TypeVar("Member", covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class ListEntry(Generic[Member]):
    """What has one chart, or one row: series whose names differ by a number alone.

    Attributes:
        key: Stays the same while the run grows.
        name: Name on the screen, unshortened; of a group with `*` for the numbers.
        members: The series, in natural order; one if it is not a group.
    """

    key: str
    name: str
    members: tuple[Member, ...]

    @property
    def lead(self) -> Member:
        """The first series."""
        return self.members[0]

    @property
    def is_group(self) -> bool:
        """Whether it stands for several series."""
        return len(self.members) > 1


class MetricEntry(ListEntry[Series]):
    """A metric, or the metric of all layers."""

    __slots__ = ()


def key_of(series: Series) -> str:
    """Key of a series, the same while the run grows: two sources may spell a tag alike."""
    return f"{series.meaning.key} {series.tag}"


def entry_of(series: Series) -> MetricEntry:
    """The entry of one series."""
    return MetricEntry(key_of(series), display_name(series), (series,))


def entries_of(series: Iterable[Series], *, collapse: bool = True) -> list[MetricEntry]:
    """One entry per series; those whose names differ by a number alone become one group.

    Losses and what is measured on eval data stay apart: each of them is looked at.
    """
    groups: dict[str, list[Series]] = {}
    for one in series:
        pattern = numberless(one.tag) if collapse and _may_collapse(one) else ""
        groups.setdefault(pattern or key_of(one), []).append(one)
    entries: list[MetricEntry] = []
    for key, members in groups.items():
        if len(members) < FEWEST_MEMBERS:
            entries += [entry_of(one) for one in members]
        else:
            ordered = sorted(members, key=lambda one: natural_key(one.tag))
            entries.append(MetricEntry(key, key, tuple(ordered)))
    return entries


def _may_collapse(one: Series) -> bool:
    return one.meaning.kind is not Kind.LOSS and one.meaning.split is not Split.EVAL


@lru_cache(16_384)
def numberless(tag: str) -> str:
    """A tag with `*` for its numbers; empty if it has none."""
    found = _NUMBER.sub("*", tag)
    return "" if found == tag else found


class Bands:
    """Bands of the groups in view, each computed on from what it was before."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[Series, ...], Band]] = {}

    def of(self, entry: MetricEntry) -> Band:
        """The band of a group."""
        known = self._known.get(entry.key)
        if known is not None and all(map(_is_same, known[0], entry.members)):
            return known[1]
        same_members = known is not None and len(known[0]) == len(entry.members)
        band = band_of(entry.members, known[1] if known is not None and same_members else None)
        self._known[entry.key] = (entry.members, band)
        return band

    def keep(self, keys: Iterable[str]) -> None:
        """Forget all others."""
        self._known = {key: self._known[key] for key in keys if key in self._known}

    def median(self, entry: MetricEntry) -> Series:
        """The middle of a group as a series of its name."""
        return as_series(entry, self.of(entry))


def _is_same(one: Series, other: Series) -> bool:
    return one.values is other.values and one.steps is other.steps


def as_series(entry: MetricEntry, band: Band, values: str = "middle") -> Series:
    """A column of a band as a series.

    Args:
        values: Which column: `low`, `middle`, `high`.
    """
    column = getattr(band, values)
    finite = np.isfinite(column)
    known = column[finite]
    steps = band.lead.steps[finite]
    low, high = (int(known.argmin()), int(known.argmax())) if len(known) else (0, 0)
    meaning = Meaning(entry.key, entry.name, kind=band.lead.meaning.kind)
    return replace(
        band.lead,
        tag=entry.key,
        meaning=meaning,
        values=column,
        last=float(column[-1]) if len(column) else math.nan,
        n_nonfinite=int(len(column) - len(known)),
        minimum=float(known[low]) if len(known) else math.nan,
        min_step=int(steps[low]) if len(known) else 0,
        maximum=float(known[high]) if len(known) else math.nan,
        max_step=int(steps[high]) if len(known) else 0,
        ghost_steps=band.lead.ghost_steps[:0],
        ghost_values=band.lead.ghost_values[:0],
    )


def find(entries: Sequence[Keyed], key: str | None) -> int:
    """Place of an entry; 0 where it is not among them."""
    return next((at for at, one in enumerate(entries) if one.key == key), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Columns of one length, at the steps of the first member.

    Attributes:
        lead: The member whose steps and times the columns have.
        low: Lowest finite value of all members.
        middle: Their (upper) median.
        high: Highest finite value.
    """

    lead: Series
    low: Floats
    middle: Floats
    high: Floats

    def __len__(self) -> int:
        return len(self.middle)


def band_of(members: Sequence[Series], before: Band | None = None) -> Band:
    """The band of series.

    Args:
        members: At least one. Those that were logged at other steps than the first are read off
            between their points.
        before: The band of the same members when they were shorter: only what is new is computed.
    """
    lead = members[0]
    known = _known(lead, before)
    values = np.stack([_values(one, lead, known) for one in members])
    low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    middle = np.sort(values, axis=0)[len(members) // 2]
    if before is not None and known:
        low = np.concatenate((before.low[:known], low))
        middle = np.concatenate((before.middle[:known], middle))
        high = np.concatenate((before.high[:known], high))
    return Band(lead, low, middle, high)


def _known(lead: Series, before: Band | None) -> int:
    """Points of a shorter band that still hold; the newest may have been half logged."""
    if before is None or before.lead.tag != lead.tag:
        return 0
    size = min(len(before), len(lead)) - 1
    if size < 1 or len(lead) < len(before):
        return 0
    old, ends = before.lead, [0, size // 2, size - 1]
    same = np.array_equal(old.steps[ends], lead.steps[ends]) and np.array_equal(
        old.values[ends], lead.values[ends], equal_nan=True
    )
    return size if same else 0


def _values(one: Series, lead: Series, start: int) -> Floats:
    steps = lead.steps[start:]
    if len(one) == len(lead) and np.array_equal(one.steps[start:], steps):
        return one.values[start:]
    if not len(one):
        return np.full(len(steps), np.nan)
    return np.asarray(np.interp(steps, one.steps, one.values))


MEDIA_WORDS = {
    MediaKind.HISTOGRAM: "histogram",
    MediaKind.PR_CURVE: "PR curve",
    MediaKind.ROC_CURVE: "ROC curve",
    MediaKind.IMAGE: "image",
}
"""What each kind is called, in English."""


class MediaEntry(ListEntry[MediaSeries]):
    """What was logged under one tag, or under the tags of all layers."""

    __slots__ = ()


def media_entries(media: Iterable[MediaSeries], fits: Callable[[str], bool]) -> list[MediaEntry]:
    """One entry per tag, those of all layers as one group; by kind, then in natural order.

    Args:
        fits: Whether a name is wanted.
    """
    groups: dict[tuple[MediaKind, str], list[MediaSeries]] = {}
    for one in media:
        if fits(one.name):
            groups.setdefault((one.kind, numberless(one.name) or one.key), []).append(one)
    entries: list[MediaEntry] = []
    for (kind, name), found in groups.items():
        members = tuple(sorted(found, key=lambda one: natural_key(one.name)))
        if len(members) < FEWEST_MEMBERS:
            entries += [MediaEntry(one.key, clean(one.name), (one,)) for one in members]
        else:
            entries.append(MediaEntry(f"{kind} {name}", clean(name), members))
    kinds = list(MediaKind)
    return sorted(
        entries,
        key=lambda one: (kinds.index(one.lead.kind), natural_key(one.name)),
    )
