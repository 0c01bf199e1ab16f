"""Tag overrides: the user's names of metrics, as far as one run logs them."""

from __future__ import annotations

from collections.abc import Iterable

from lossmon.types import METRIC_WORDS, MetricNames


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
