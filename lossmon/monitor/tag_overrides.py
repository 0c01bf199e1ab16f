"""What the user says of names, as far as one run logs them."""

from __future__ import annotations

from collections.abc import Iterable

from lossmon.readers.tags.meaning import WORDS
from lossmon.types import MetricNames


def tags_of(names: MetricNames, name: str) -> tuple[str, ...]:
    """The raw tags that a name or a word was given to."""
    tags = names.get(name, ())
    return (tags,) if isinstance(tags, str) else tags


class TagOverrides:
    """The answers that hold for one run.

    The settings serve all runs of a user: who says that `my/loss` is the train loss means the
    runs that log it, and says nothing of the loss of others.

    Args:
        names: All that the user says.
    """

    def __init__(self, names: MetricNames) -> None:
        self._names = names
        self._tags: set[str] = set()
        self.known: MetricNames = {}
        """What holds for the run. Of several tags of one quantity the first that it logs."""
        self.said: frozenset[str] = frozenset()
        """Every tag that anything is said of."""
        self.tell(names)

    def tell(self, names: MetricNames) -> bool:
        """Take other answers; True if what holds for the run has changed."""
        self._names = names
        self.said = frozenset(tag for name in names for tag in tags_of(names, name))
        return self._update()

    def see(self, tags: Iterable[str]) -> bool:
        """Take notice of tags that the run logs; True if what holds for it has changed."""
        fresh = set(tags) - self._tags
        self._tags |= fresh
        return bool(fresh & self.said) and self._update()

    def _update(self) -> bool:
        before = self.known
        logged = {
            name: tuple(tag for tag in tags_of(self._names, name) if tag in self._tags)
            for name in self._names
        }
        self.known = {
            name: tags if name in WORDS else tags[:1] for name, tags in logged.items() if tags
        }
        return self.known != before
