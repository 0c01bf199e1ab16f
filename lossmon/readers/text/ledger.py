"""Ledger of a text log: gives each line its place in the training."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text.boosting import BestDirection, EvalSets
from lossmon.readers.text.emitter import NOTHING, PointEmitter, trains
from lossmon.readers.text.facts.run_facts import RunFacts
from lossmon.readers.text.grammar.dialects import TRIALS
from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.words import is_loss
from lossmon.readers.text.placement.hindsight import BATCHES, Hindsight, SectionHeading
from lossmon.readers.text.placement.steps import StepFinder
from lossmon.readers.text.progress_bars import StaleBarValues
from lossmon.readers.text.ranks import RankMonitor, RankSelector
from lossmon.readers.text.templates import Groups, Template
from lossmon.readers.text.trainer_records import TrainerRecords
from lossmon.types import Axis


class Ledger:
    """Finds the step of each line and emits its values.

    Args:
        batch: Where to add points, facts and notes.
        hindsight: What is known of the log from reading it before.

    Attributes:
        trainer: The records of the HF Trainer.
        facts: What the log states about the run.
    """

    def __init__(self, batch: BatchBuilder, hindsight: Hindsight) -> None:
        self.facts = RunFacts(batch)
        self._batch = batch
        self._emitter = PointEmitter(batch.points, self.facts)
        self.trainer = TrainerRecords(self._emitter, self.facts, hindsight)
        self._steps = StepFinder(hindsight)
        self._selector: RankSelector[tuple[Template, Groups]] = RankSelector()
        self._ranks = RankMonitor()
        self._waiting: list[tuple[Template, Groups]] = []
        """Lines before the first one with a position."""
        self._is_numbered = False
        """The log does not state positions: its lines are numbered."""
        self._newest: tuple[Template | None, int] = (None, 0)
        """Shape and step of the newest line with metrics."""
        self._line: tuple[Template | None, Groups, int] = (None, (), 0)
        """Shape, numbers and step of the last line that was placed."""
        self._heading = SectionHeading()
        self._stale = StaleBarValues()
        self._boosting = BestDirection()
        self._eval_sets = EvalSets(hindsight)
        self._hindsight = hindsight
        self._part: tuple[Template, Groups] | None = None
        """The newest line about a part of an evaluation."""
        self._counted: Template | None = None
        """Shape of the evaluation since the last train line whose batches were counted out."""
        self._painted: dict[str, tuple[int, str]] = {}
        """Epoch and text of each tag that a Keras bar has shown at its end."""
        self._from_zero: set[tuple[str, ...]] = set()
        """Tags of lines that count the batches of an evaluation from 0."""

    @property
    def waits(self) -> bool:
        """Whether lines wait for another one with their step."""
        return self.trainer.waiting or bool(self._waiting) or self._boosting.waits

    def add_bar(self, step: int, total: int) -> None:
        """Add a state of a bar without a description."""
        if self.trainer.add_bar(step, total):
            self._update_plan()

    def add(self, template: Template, rows: Sequence[Groups]) -> None:
        """Add lines of one shape, each as its numbers."""
        if template.parsed.position.scale is Scale.ROUND and rows:
            template = self._eval_sets.named(template, rows)
        if template.values and template.values[0][0].startswith(TRIALS):
            for row in rows:
                self.facts.count_trial(template.values[0][0], int(row[template.step]))
        elif template.best >= 0:
            if template.parsed.position.scale is Scale.TRIAL and rows:
                self.facts.count_trial("", int(rows[-1][template.step]))
            for known, some in self._boosting.add(template, rows):
                self._add(known, some)
        elif template.parsed.heading:
            self._heading.begin(template.parsed.heading)
            self._add(template, rows)
        elif self._heading.holds and rows:
            self._add_below(template, rows)
        else:
            self._add(template, rows)

    def _add_below(self, template: Template, rows: Sequence[Groups]) -> None:
        """Add lines below a heading."""
        if template.step >= 0 and not template.values:
            behind = int(rows[-1][template.step]) < (self._steps.last or 0)
            self._heading.begin(BATCHES if behind else "train")
            rows = () if behind else rows
        for some in (rows[:1], rows[1:]):
            repeats = bool(some) and template.step >= 0 and self._repeats(some[0][template.step])
            if some and (renamed := self._heading.renamed(template, repeats)) is not None:
                self._add(renamed, some)

    def _repeats(self, step: str) -> bool:
        """Whether a line below a heading is an evaluation at the step of the line above it."""
        return int(step) == self._steps.last

    def flush(self) -> None:
        """Emit the lines that wait for another one, because none will follow."""
        if self.trainer.flush():
            self._update_plan()
        for known, rows in self._boosting.flush():
            self._add(known, rows)
        part, self._part = self._part, None
        if part is not None and self.facts.finished:
            self._place(part[0], [part[1]])
        waiting, self._waiting = self._waiting, []
        for template, row in waiting:
            self._emit_numbered(template, row)

    def check(self, text: str, before: str) -> None:
        """Look for a crash, an end or a plan in a line, given the one above it."""
        ended = self.facts.ended
        if self.facts.check(text, before):
            announced = self.facts.announced
            self.trainer.announce(announced.total_steps, announced.per_epoch)
            self._update_plan()
        if self.facts.ended and not ended:
            self.flush()

    def _add(self, template: Template, rows: Sequence[Groups]) -> None:
        parsed = template.parsed
        if template.values:
            self.facts.measure(len(rows))
        if parsed.trainer:
            self.trainer.add(template, rows)
            self._update_plan()
            return
        rows = self._results(template, rows)
        if parsed.bar and not parsed.split:
            rows = [row for row in rows if not self._stale.is_left_over(template, row)]
        if template.rank >= 0:
            for row in rows:
                self._add_ranked(template, row)
        elif rows:
            self._place(template, rows)

    def _results(self, template: Template, rows: Sequence[Groups]) -> Sequence[Groups]:
        """Leave out lines about a part of an evaluation or of a Keras epoch.

        The last of them is a result if nothing else sums it up.
        """
        parsed = template.parsed
        if not rows or not template.values:
            return rows
        painted = template.step >= 0 and parsed.position.scale is Scale.EPOCH
        inner = parsed.last_only or self._steps.is_inner(template, rows[-1])
        part, self._part = self._part, None
        if part is not None and part[0] is not template:
            if trains(template):
                self._place(part[0], [part[1]])
            elif part[0].parsed.averaged and (lost := _losses_besides(part[0], template)):
                self._place(lost, [part[1]])
        if not inner and not painted:
            return rows
        if inner and template.total < 0 and template.step >= 0:
            self._part = template, rows[-1]
            return ()
        if inner and _tags(template) in self._hindsight.summed:
            return ()
        whole = [row for row in rows if self._is_last(template, row)]
        if inner and not painted and (not whole or whole[-1] is not rows[-1]):
            self._part = template, rows[-1]
        return whole

    def _is_last(self, template: Template, row: Groups) -> bool:
        """Whether a count within an evaluation or a Keras epoch has reached its end."""
        if template.total < 0:
            return True
        step = int(row[template.step])
        if step == 0:
            self._from_zero.add(_tags(template))
        return step + (_tags(template) in self._from_zero) >= int(row[template.total])

    def _add_ranked(self, template: Template, row: Groups) -> None:
        rank = int(row[template.rank])
        step = row[template.step] if template.step >= 0 else ""
        if step and (note := self._ranks.add(rank, int(step))):
            self._batch.notes.append(note)
        for known, selected in self._selector.add(rank, _tags(template), step, (template, row)):
            self._place(known, [selected])

    def _place(self, template: Template, rows: Sequence[Groups]) -> None:
        placed = self._steps.place(template, rows)
        self._update_plan()
        if placed is None:
            self._hold(template, rows)
            return
        steps, axis = placed
        if not template.values:
            return
        if self._is_echo(template, rows[-1], steps[-1]) and len(rows) == 1:
            return
        rows, steps = self._first_copies(template, rows, steps)
        if self._waiting and rows:
            self._release(steps[0], axis)
        if not template.parsed.bar or template.parsed.split:
            if rows:
                again = self._summed_up(template) | self._repainted(template, rows[-1], steps[-1])
                self._emitter.emit(template, rows, steps, axis, again)
            return
        for row, step in zip(rows, steps, strict=True):
            again = self._stale.repeated(template, row, step)
            if any(tag not in again for tag, _, _ in template.values):
                self._emitter.emit(template, [row], [step], axis, again)

    def _summed_up(self, template: Template) -> frozenset[str]:
        """Tags of a line that only sums up the batches of an evaluation counted to their end."""
        if not template.parsed.split:
            self._counted = None if trains(template) else self._counted
            return NOTHING
        counted = self._counted
        if template.total >= 0:
            self._counted = template
        elif counted is not None and counted is not template:
            if template.parsed.mean and not counted.parsed.averaged:
                self._hindsight.add_summed(_tags(counted))
                return NOTHING
            return frozenset(_tags(counted))
        return NOTHING

    def _repainted(self, template: Template, row: Groups, epoch: int) -> frozenset[str]:
        """Tags that a Keras bar shows as at the end of its epoch: a callback had ended its line."""
        if template.step < 0 or template.parsed.position.scale is not Scale.EPOCH:
            return NOTHING
        shown = {tag: (epoch, row[index]) for tag, index, _ in template.values}
        again = frozenset(tag for tag, value in shown.items() if self._painted.get(tag) == value)
        self._painted = shown
        return again

    def _is_echo(self, template: Template, row: Groups, step: int) -> bool:
        """Whether a second logger prints the line before once more, in a shape of its own."""
        (known, numbers, before), self._line = self._line, (template, row, step)
        if known is template or known is None or before != step:
            return False
        values = [(tag, row[index]) for tag, index, _ in template.values]
        return values == [(tag, numbers[index]) for tag, index, _ in known.values]

    def _first_copies(
        self, template: Template, rows: Sequence[Groups], steps: list[int]
    ) -> tuple[Sequence[Groups], list[int]]:
        """Leave out lines that repeat the step of the line before: copies of other processes.

        A script that prints on every process prints each step as often; the processes cannot be
        told apart, so the first line stands for all.
        """
        if template.step < 0 or template.parsed.bar:
            self._newest = (template, -1)
            return rows, steps
        newest, self._newest = self._newest, (template, steps[-1])
        before = newest[1] if newest[0] is template else None
        if steps[0] != before and len(set(steps)) == len(steps):
            return rows, steps
        kept = [
            (row, step)
            for row, step, earlier in zip(rows, steps, [before, *steps], strict=False)
            if step != earlier
        ]
        return [row for row, _ in kept], [step for _, step in kept]

    def _hold(self, template: Template, rows: Sequence[Groups]) -> None:
        """Hold lines without a position; number them once it is clear that the log has none."""
        for row in rows:
            if not template.values:
                continue
            if not self._is_numbered:
                tags = {tag for known, _ in self._waiting for tag, _, _ in known.values}
                if not self._steps.repeats(template, tags):
                    self._waiting.append((template, row))
                    continue
                self._is_numbered = True
                waiting, self._waiting = self._waiting, []
                for known, held in waiting:
                    self._emit_numbered(known, held)
            self._emit_numbered(template, row)

    def _emit_numbered(self, template: Template, row: Groups) -> None:
        self._emitter.emit(template, [row], [self._steps.counted(template)], Axis.ORDER)

    def _release(self, step: int, axis: Axis) -> None:
        """Emit what was printed before the first position, right before it."""
        waiting, self._waiting = self._waiting, []
        for template, row in waiting:
            self._emitter.emit(template, [row], [max(0, step - 1)], axis)

    def _update_plan(self) -> None:
        steps = self.trainer.total_steps or self._steps.total_steps
        epochs = self.facts.announced.total_epochs or self._steps.total_epochs
        self.facts.plan(steps, float(epochs))


def _tags(template: Template) -> tuple[str, ...]:
    return tuple(tag for tag, _, _ in template.values)


def _losses_besides(part: Template, summary: Template) -> Template | None:
    """The losses of an evaluation's batches that the line summing it up does not repeat."""
    if any(is_loss(tag) for tag, _, _ in summary.values):
        return None
    return part.only(is_loss)
