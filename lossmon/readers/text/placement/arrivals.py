"""Arrivals: order of lines that state nothing but their epoch, several of a shape per epoch."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.readers.text.placement.hindsight import Hindsight, Tags

STACKED = 3
"""Lines of one shape in a row with one epoch, from which they are batches: a resumed training
repeats its epoch once."""


class Arrivals:
    """Counts the batches of epochs whose lines do not number them.

    Args:
        hindsight: Shapes that are known to have several lines per epoch.
    """

    def __init__(self, hindsight: Hindsight) -> None:
        self.count = 0
        """Batches so far."""
        self._hindsight = hindsight
        self._newest: tuple[Tags, int, int] = ((), -1, 0)
        """Tags and epoch of the newest line, and how many lines in a row had them."""
        self._epoch = -1
        self._starts: dict[int, int] = {}
        """Batches before each epoch."""

    @property
    def are_counted(self) -> bool:
        """Whether the log has such lines, so that its positions are batches in their order."""
        return bool(self._hindsight.stacked)

    def place(self, tags: Tags, epochs: Sequence[int]) -> list[int] | None:
        """Return the positions of lines in the order of batches; None where epochs tell them apart.

        Args:
            tags: Their tags.
            epochs: Their epochs, oldest first.
        """
        if not self.are_counted:
            self._watch(tags, epochs)
            return None
        if tags not in self._hindsight.stacked:
            return [self.count] * len(epochs)
        return [self._next(epoch) for epoch in epochs]

    def _next(self, epoch: int) -> int:
        if epoch < self._epoch:
            # A resumed training: its batches take the place of those that were lost.
            self.count = self._starts.get(epoch, self.count)
        if epoch != self._epoch:
            self._starts[epoch], self._epoch = self.count, epoch
        self.count += 1
        return self.count

    def _watch(self, tags: Tags, epochs: Sequence[int]) -> None:
        known, newest, run = self._newest
        for epoch in epochs:
            run = run + 1 if known == tags and epoch == newest else 1
            known, newest = tags, epoch
            if run == STACKED:
                self._hindsight.add_stacked(tags)
        self._newest = known, newest, run
