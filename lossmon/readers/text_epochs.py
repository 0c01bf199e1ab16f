"""Steps that may begin anew with each epoch, made steps of the run."""

from __future__ import annotations


class EpochSteps:
    """Finds out whether steps beside an epoch begin anew with it, and counts them on if so.

    Attributes:
        within: They begin anew; None until the first epoch has ended.
    """

    def __init__(self) -> None:
        self.within: bool | None = None
        self._previous: tuple[int, int] | None = None
        """Epoch and step of the newest line."""
        self._kind: object = None
        """Sort of the newest line."""
        self._first = 0
        """First step of the newest epoch."""
        self._stride = 1
        """Between its first steps."""
        self._offset = 0
        self._offsets: dict[int, int] = {}

    def step(self, epoch: int, step: int, total: int, kind: object) -> int:
        """Return the step of the run.

        Args:
            epoch: The epoch, as the log counts them; -1 before it has said one.
            step: What the log calls the step.
            total: Steps of the epoch or of the run, 0 where the line does not say.
            kind: Sort of the line: an evaluation may repeat the step of a training line.
        """
        previous, self._previous = self._previous, (epoch, step)
        alike, self._kind = kind is self._kind, kind
        if previous is None:
            self._offsets[epoch], self._first = 0, step
        elif epoch > previous[0]:
            if self.within is None and (step != previous[1] or total or alike):
                self.within = step <= previous[1]
            if self.within:
                epochs = epoch - previous[0] if previous[0] >= 0 else 1
                self._offset += epochs * total or self._behind(previous[1])
            self._offsets[epoch], self._first = self._offset, step
        elif epoch < previous[0]:
            self._offset = self._offsets.get(epoch, 0)
        elif previous[1] == self._first and step > self._first:
            self._stride = step - self._first
        return self._offset + step

    def bar(self, step: int, total: int) -> int:
        """The same for a bar without an epoch: begun anew after it was full, it counts the next."""
        epoch, before = self._previous or (0, 0)
        if step < before and total and before >= total - 1:
            self._offset += total
        self._previous = (epoch, step)
        return self._offset + step

    def _behind(self, last: int) -> int:
        """Steps of an epoch that does not tell: what counts from 0 ends a stride early."""
        return last + (0 if self._first else self._stride)
