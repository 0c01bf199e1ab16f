"""Media entries: histograms, PR curves and images in the list of metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lossmon.types import MediaKind, MediaSeries
from lossmon.ui.metrics.entries import FEWEST_MEMBERS, ListEntry, numberless
from lossmon.ui.metrics.names import natural_key
from lossmon.ui.text.lines import clean

MEDIA_WORDS = {
    MediaKind.HISTOGRAM: "histogram",
    MediaKind.PR_CURVE: "PR curve",
    MediaKind.IMAGE: "image",
}
"""What each kind is called, in English."""


class MediaEntry(ListEntry[MediaSeries]):
    """What was logged under one tag, or under the tags of all layers."""

    __slots__ = ()


def media_entries(media: Iterable[MediaSeries], fits: Callable[[str], bool]) -> list[MediaEntry]:
    """One entry per tag, those of all layers as one group; by kind, then in natural order.

    Args:
        media: What the run logged.
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
