"""Steps of lines: counts within epochs become global, positions are inherited from lines above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.words import RATE
from lossmon.readers.text.placement.hindsight import Hindsight, Tags
from lossmon.readers.text.templates import Groups, Template
from lossmon.types import Axis

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


MOST_EPOCHS = 1e9
"""Epochs beyond which a number is not an epoch."""

MANY = 2
"""Epochs from which it is unclear whether `step 5/100` counts the steps of one epoch or of all."""

StepsOnAxis = tuple[list[int], Axis]


def whole_epoch(text: str) -> int:
    """Epochs that are over, given how a log prints the epoch; 0 where no training gets there."""
    epoch = float(text)
    return int(epoch) if epoch < MOST_EPOCHS else 0


class StepFinder:
    """Tracks the position of a log in the training.

    Attributes:
        total_steps: Planned steps, 0 while unknown.
        total_epochs: Planned epochs, 0 while unknown.
    """

    def __init__(self, hindsight: Hindsight) -> None:
        self.total_steps = 0
        self.total_epochs = 0
        self._last: int | None = None
        """Newest global step."""
        self._stride = 0
        """Distance of the newest two, as long as steps are printed whole."""
        self._epoch: int | None = None
        """Newest epoch."""
        self._base: int | None = None
        """Number of the first epoch."""
        self._per_epoch = 0
        """Steps of an epoch, 0 while unknown."""
        self._train_total = 0
        """What stands behind the slash of the newest line of training, 0 if nothing."""
        self._measured = False
        """Some metric had a step of its own."""
        self._beside = EpochSteps()
        """Steps in one line with their epoch."""
        self._below = EpochSteps()
        """Steps in lines below one with the epoch."""
        self._arrivals = Arrivals(hindsight)
        self._round = 0
        self._seen: set[str] = set()
        self._ways: dict[Scale, Callable[[Template, Sequence[Groups]], StepsOnAxis | None]] = {
            Scale.STEP: self._global,
            Scale.ROUND: partial(self._counts, Axis.ROUND),
            Scale.TRIAL: partial(self._counts, Axis.TRIAL),
            Scale.WITHIN: self._inside_epochs,
            Scale.EITHER: self._either,
            Scale.EPOCH: self._by_epoch,
            Scale.NONE: self._inherited,
        }

    @property
    def last(self) -> int | None:
        """Newest global step, None before the first one."""
        return self._last

    def place(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis | None:
        """Return the steps of lines of one shape; None if they must wait for another line.

        Args:
            rows: Their numbers, oldest first, at least one.
        """
        self._note_epochs(template, rows)
        way = Scale.NONE if self.is_inner(template, rows[-1]) else template.parsed.position.scale
        rounded = template.parsed.unit > 1
        placed = self._rounded(template, rows) if rounded else self._ways[way](template, rows)
        if template.total >= 0 and not template.parsed.split:
            self._train_total = int(rows[-1][template.total])
        if placed is not None and placed[1] is Axis.STEP:
            if template.step >= 0 and not rounded:
                before = placed[0][-2] if len(placed[0]) > 1 else self._last or 0
                self._stride = placed[0][-1] - before
            self._last = placed[0][-1]
            self._measured = self._measured or bool(template.values)
        return placed

    def is_inner(self, template: Template, row: Groups) -> bool:
        """Whether a line counts the batches of an evaluation rather than training steps."""
        if not template.parsed.split or template.total < 0:
            return False
        scale = template.parsed.position.scale
        if scale is Scale.WITHIN:
            return int(row[template.total]) != self._per_epoch
        if scale not in (Scale.STEP, Scale.EITHER):
            return False
        planned = {self.total_steps, self._train_total} - {0}
        return bool(planned) and int(row[template.total]) not in planned

    def counted(self, template: Template) -> int:
        """Number a line in a log without positions; one number per round."""
        # Lines of train and val data may both show the learning rate.
        tags = {tag for tag, _, _ in template.values if not RATE.match(tag)}
        if not self._round or tags & self._seen:
            self._round += 1
            self._seen = set()
        self._seen |= tags
        return self._round

    def repeats(self, template: Template, tags: set[str]) -> bool:
        """Whether a line has one of some tags again."""
        return any(tag in tags for tag, _, _ in template.values)

    def _note_epochs(self, template: Template, rows: Sequence[Groups]) -> None:
        zero = template.parsed.position.zero
        if template.epochs >= 0:
            # A count from 0 prints the last epoch, not the number of epochs.
            self.total_epochs = int(rows[-1][template.epochs]) + (zero is True)
        if template.epoch >= 0:
            self._epoch = whole_epoch(rows[-1][template.epoch])
            if self._base is None:
                first = whole_epoch(rows[0][template.epoch])
                self._base = min(first, 1) if zero is None else 0 if zero else 1

    def _global(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis:
        column = template.step
        steps = [int(row[column]) for row in rows]
        if template.parsed.split:
            return steps, Axis.STEP
        total = int(rows[-1][template.total]) if template.total >= 0 else 0
        if not template.values:
            self._plan(total, self._below.within)
            return steps, Axis.STEP
        if template.epoch >= 0:
            self._plan(total, within=False)
            return steps, Axis.STEP
        epoch = -1 if self._epoch is None else self._epoch
        if epoch < 0 or self._below.within is False:
            # Of many global steps, the first two and the last are enough.
            for step in (*steps[:2], steps[-1]):
                self._below.step(epoch, step, total, template)
        else:
            steps = [self._below.step(epoch, step, total, template) for step in steps]
        self._plan(total, self._below.within)
        return steps, Axis.STEP

    def _rounded(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis:
        """Steps printed in thousands or millions, which go on as far apart as they began."""
        unit, last, steps = template.parsed.unit, self._last or 0, list[int]()
        for row in rows:
            printed = int(row[template.step]) * unit
            goes_on = self._stride > 0 and abs(last + self._stride - printed) <= unit / 2
            last = last + self._stride if goes_on else printed
            steps.append(last)
        return steps, Axis.STEP

    def _plan(self, total: int, within: bool | None) -> None:
        """Learn from the total of a step."""
        if not total:
            return
        if within:
            self._per_epoch = total
            self.total_steps = total * self.total_epochs or self.total_steps
        elif within is False or self.total_epochs < MANY:
            self.total_steps = total

    def _counts(self, axis: Axis, template: Template, rows: Sequence[Groups]) -> StepsOnAxis:
        column = template.step
        return [int(row[column]) for row in rows], axis

    def _inside_epochs(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis | None:
        if template.parsed.position.split or template.total < 0:
            return self._end_of_epoch(template, rows)
        base = self._base or 0
        self._per_epoch = int(rows[-1][template.total])
        if self.total_epochs:
            self.total_steps = self.total_epochs * self._per_epoch
        epoch, step, total = template.epoch, template.step, template.total
        steps = [(whole_epoch(r[epoch]) - base) * int(r[total]) + int(r[step]) for r in rows]
        return [max(0, step) for step in steps], Axis.STEP

    def _end_of_epoch(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis | None:
        """Steps of lines about a whole epoch, in a log that counts steps in other lines."""
        if template.epoch >= 0 and self._per_epoch and self._beside.within is not False:
            base = self._base or 0
            epochs = [whole_epoch(row[template.epoch]) for row in rows]
            return [max(0, epoch - base + 1) * self._per_epoch for epoch in epochs], Axis.STEP
        if self._last is not None and self._measured:
            return [self._last] * len(rows), Axis.STEP
        return None

    def _either(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis | None:
        if template.parsed.bar and template.epoch >= 0 and template.total < 0 and self._per_epoch:
            # A bar that has gone past its total does not show it any more.
            return self._end_of_epoch(template, rows)
        steps = [self._either_one(template, row) for row in rows]
        if template.total >= 0 and template.epoch >= 0 and self._beside.within is not None:
            self._plan(int(rows[-1][template.total]), self._beside.within)
        return steps, Axis.STEP

    def _either_one(self, template: Template, row: Groups) -> int:
        step = int(row[template.step])
        total = int(row[template.total]) if template.total >= 0 else 0
        if template.epoch < 0:
            return self._beside.bar(step, total)
        return self._beside.step(whole_epoch(row[template.epoch]), step, total, template)

    def _by_epoch(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis | None:
        if template.epoch < 0:
            return self._in_epoch(len(rows))
        inherited = self._end_of_epoch(template, rows)
        if inherited is not None:
            return inherited
        epochs = [whole_epoch(row[template.epoch]) for row in rows]
        tags = tuple(tag for tag, _, _ in template.values)
        if tags and (arrived := self._arrivals.place(tags, epochs)) is not None:
            return arrived, Axis.ORDER
        return epochs, Axis.EPOCH

    def _inherited(self, template: Template, rows: Sequence[Groups]) -> StepsOnAxis | None:
        if self._last is not None:
            return [self._last] * len(rows), Axis.STEP
        return self._in_epoch(len(rows))

    def _in_epoch(self, count: int) -> StepsOnAxis | None:
        """Positions of lines that have no other than the newest epoch."""
        if self._epoch is None:
            return None
        if self._arrivals.are_counted:
            return [self._arrivals.count] * count, Axis.ORDER
        return [self._epoch] * count, Axis.EPOCH


class EpochSteps:
    """Finds out whether steps restart with each epoch, and makes them global if so.

    Attributes:
        within: They restart; None until the first epoch has ended.
    """

    def __init__(self) -> None:
        self.within: bool | None = None
        self._previous: tuple[int, int] | None = None
        """Epoch and step of the newest line."""
        self._kind: object = None
        """Kind of the newest line."""
        self._first = 0
        """First step of the newest epoch."""
        self._stride = 1
        """Distance of its first two steps."""
        self._offset = 0
        self._offsets: dict[int, int] = {}

    def step(self, epoch: int, step: int, total: int, kind: object) -> int:
        """Return the global step.

        Args:
            epoch: The epoch as the log counts it; -1 before the first one.
            step: The step in the log.
            total: Steps of the epoch or of the run, 0 if the line does not state them.
            kind: Kind of the line: an evaluation may repeat the step of a training line.
        """
        previous, self._previous = self._previous, (epoch, step)
        alike, self._kind = kind is self._kind, kind
        if previous is None:
            self._offsets[epoch], self._first = 0, step
        elif epoch > previous[0]:
            if self.within is None and (step != previous[1] or total or alike):
                # Several counters may run until the first epoch is named.
                self.within = step <= (self._first if previous[0] < 0 else previous[1])
            if self.within:
                epochs = epoch - previous[0] if previous[0] >= 0 else 1
                self._offset += epochs * total or self._length(previous[1])
            self._offsets[epoch], self._first = self._offset, step
        elif epoch < previous[0]:
            self._offset = self._offsets.get(epoch, 0)
        elif previous[1] == self._first and step > self._first:
            self._stride = step - self._first
        return self._offset + step

    def bar(self, step: int, total: int) -> int:
        """Return the global step of a bar without an epoch; it goes on after a full one."""
        epoch, before = self._previous or (0, 0)
        if step < before and total and before >= total - 1:
            self._offset += total
        self._previous = (epoch, step)
        return self._offset + step

    def _length(self, last: int) -> int:
        """Steps of an epoch that does not state them: a count from 0 ends a stride early."""
        return last + (0 if self._first else self._stride)
