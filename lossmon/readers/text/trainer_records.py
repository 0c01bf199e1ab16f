"""Records of the HF Trainer in a text log, and the steps that they are emitted at."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lossmon.readers.text.emitter import NOTHING, PointEmitter, trains
from lossmon.readers.text.facts.run_facts import RunFacts
from lossmon.readers.text.hf_trainer_interval import RecordInterval
from lossmon.readers.text.hf_trainer_steps import PlacedRecord, TrainerRecord, TrainerSteps
from lossmon.readers.text.placement.hindsight import Hindsight
from lossmon.readers.text.progress_bars import tqdm
from lossmon.readers.text.templates import Groups, Template
from lossmon.types import Axis

ANNEALED = 0.12
"""Share of the highest learning rate below which a schedule has come to its end."""

Held = tuple[Template, Groups, frozenset[str]]
"""A record with its numbers, and the tags that another logger has printed already."""


MOST_STEPS = 1e15
"""Steps beyond which a number is not a plan."""


class TrainerRecords:
    """Emits the records of the HF Trainer once their steps are known.

    Args:
        facts: Gets to know the end of the training.
        hindsight: The plan that a former reading of the log found.

    Attributes:
        seen: The Trainer has printed a record.
        last_bar: Newest state of a progress bar that no record has used yet.
    """

    def __init__(self, emitter: PointEmitter, facts: RunFacts, hindsight: Hindsight) -> None:
        self.seen = False
        self.last_bar = ""
        self._emitter = emitter
        self._facts = facts
        self._steps: TrainerSteps[Held] = TrainerSteps(
            by_epoch=hindsight.by_epoch,
            interval=RecordInterval(hindsight.interval, hindsight.logs_first),
        )
        self._hindsight = hindsight
        if hindsight.total_steps:
            self.announce(hindsight.total_steps, hindsight.steps_per_epoch)
        self._rates: list[tuple[float, float]] = []
        """Epochs and learning rates of the two newest records that state one."""
        self._highest_rate = 0.0
        self._newest: tuple[Groups, int, Axis] | None = None
        """Numbers and place of the newest record."""
        self._echo: tuple[float, float, frozenset[str]] | None = None
        """Epoch, loss and tags of a record that another logger has printed."""

    @property
    def waiting(self) -> bool:
        """Whether records wait for the bar with their step."""
        return self._steps.waiting

    @property
    def total_steps(self) -> int:
        """Planned steps, 0 if unknown."""
        return self._steps.total

    def announce(self, total: int, per_epoch: float) -> None:
        """Set the planned steps, and the steps per epoch."""
        self._steps.announce(total=total, per_epoch=per_epoch)

    def add_bar(self, step: int, total: int) -> bool:
        """Add a state of a bar without a description; returns whether it placed any record."""
        return self._steps.waiting and self._emit(self._steps.add_bar(step, total))

    def flush(self) -> bool:
        """Emit the records that no bar will follow; returns whether there were any."""
        self._use_bar()
        return self._emit(self._steps.flush())

    def add(self, template: Template, rows: Sequence[Groups]) -> None:
        """Add records of one shape."""
        parsed = template.parsed
        self._note_rates(template, rows)
        if len(rows) > 1 and not (parsed.summary or parsed.echo or self._echo or self.last_bar):
            self.seen = True
            epochs = [float(row[template.epoch]) for row in rows]
            half = _half_digit(rows[0][template.epoch], parsed.quoted)
            placed = self._steps.add_run(epochs, half, trains(template))
            if placed is not None:
                self._emitter.emit(template, rows, *placed)
                self._check_places()
                return
        for row in rows:
            self._add_one(template, row)

    def _add_one(self, template: Template, row: Groups) -> None:
        parsed = template.parsed
        if parsed.summary:
            self.flush()
            self._learn_plan(template, row)
            self._facts.finish(self._steps.reached(float(row[template.epoch])))
            return
        self.seen = self.seen or not parsed.echo
        if not self._steps.waiting:
            self._use_bar()
        text = row[template.epoch]
        epoch = float(text)
        held = (template, row, self._repeated(template, row, epoch))
        half = _half_digit(text, template.parsed.quoted)
        record = TrainerRecord(held, epoch, half, trains(template))
        self._emit(self._steps.add(record))
        self._check_places()
        if self._steps.is_sparse:
            self._hindsight.set_by_epoch()

    def _check_places(self) -> None:
        """Have the log read again where the interval of its records shows wrong steps."""
        if self._steps.is_misplaced:
            found = self._steps.interval
            self._hindsight.set_interval(found.steps, logs_first=found.logs_first)

    def _note_rates(self, template: Template, rows: Sequence[Groups]) -> None:
        for tag, index, _ in template.values:
            if tag == "learning_rate":
                rates = [float(row[index]) for row in rows]
                self._highest_rate = max(self._highest_rate, *rates)
                newest = [float(row[template.epoch]) for row in rows[-2:]]
                pairs = zip(newest, rates[-2:], strict=True)
                self._rates = [*self._rates, *pairs][-2:]

    def _learn_plan(self, template: Template, row: Groups) -> None:
        """Learn the steps of a training without a bar from its closing record.

        It states the planned steps per second. Of a training that was stopped early, which the
        learning rate shows, the steps that were taken are unknown. A plan of fewer steps than
        there are train records does not belong to them.
        """
        values = {tag: float(row[index]) for tag, index, _ in template.values}
        planned = values.get("train_runtime", 0) * values.get("train_steps_per_second", 0)
        total = round(planned) if planned < MOST_STEPS else 0
        epochs = float(row[template.epoch])
        annealed = self._highest_rate > 0 and self._rate_at(epochs) <= ANNEALED * self._highest_rate
        possible = total >= max(1, self._steps.counted)
        if self._steps.is_counting and possible and epochs and annealed:
            total = self._refined(template, row, total, values["train_runtime"], epochs)
            self._hindsight.set_plan(total, total / epochs)

    def _refined(
        self, template: Template, row: Groups, total: int, runtime: float, epochs: float
    ) -> int:
        """The planned steps, which follow from rounded steps per second, made exact.

        The interval of the train records, if it is certain, narrows them down.
        """
        index = next(i for tag, i, _ in template.values if tag == "train_steps_per_second")
        half = runtime * _half_digit(row[index], template.parsed.quoted) / epochs
        low, high = total / epochs - half, total / epochs + half
        interval = self._steps.interval
        if not interval.find(low, high, least=3):
            return total
        self._hindsight.set_interval(interval.steps, logs_first=interval.logs_first)
        if self._rates[-1][0] == epochs:
            return interval.last_step
        low, high = interval.rates(low, high)
        return round(min(max(total, low * epochs), high * epochs))

    def _rate_at(self, epoch: float) -> float:
        """The learning rate at an epoch behind the newest record, as a straight line has it."""
        if not self._rates:
            return math.inf
        (first, before), (last, rate) = self._rates[0], self._rates[-1]
        slope = (rate - before) / (last - first) if last > first else 0.0
        return rate + min(slope, 0.0) * max(epoch - last, 0.0)

    def _use_bar(self) -> None:
        """Learn from the newest bar that no record has used."""
        bar = tqdm(self.last_bar) if self.last_bar else None
        self.last_bar = ""
        if bar is not None and bar.bare:
            self._emit(self._steps.add_bar(bar.step, bar.total))

    def _repeated(self, template: Template, row: Groups, epoch: float) -> frozenset[str]:
        """Tags that LLaMA-Factory's own logger has already printed for this record."""
        loss = next((float(row[index]) for tag, index, _ in template.values if tag == "loss"), None)
        if loss is None:
            return NOTHING
        if template.parsed.echo:
            tags = frozenset(tag for tag, _, _ in template.values)
            self._echo = (epoch, loss, tags | {"epoch"})
            return NOTHING
        echo, self._echo = self._echo, None
        if echo is None or abs(echo[0] - epoch) > 0.006 * max(1.0, epoch):
            return NOTHING
        same = math.isclose(echo[1], loss, rel_tol=2e-3) or (
            math.isnan(echo[1]) and math.isnan(loss)
        )
        return echo[2] if same else NOTHING

    def _emit(self, placed: list[PlacedRecord[Held]]) -> bool:
        for (template, row, skip), step, axis in placed:
            copied, self._newest = self._newest == (row, step, axis), (row, step, axis)
            if copied and trains(template):
                # A resumed training, or another process, prints the same record again.
                continue
            self._emitter.emit(template, [row], [step], axis, skip)
        return bool(placed)


def _half_digit(text: str, quoted: bool) -> float:
    """Half of the last digit of an epoch.

    transformers 5 prints four significant digits in quotes and drops the zeros at their end; older
    versions round to two decimals or not at all.
    """
    if quoted:
        return 0.5 * 10.0 ** (math.floor(math.log10(max(float(text), 1e-9))) - 3)
    digits = len(text.partition(".")[2]) if "e" not in text.lower() else 6
    return 0.5 * 10.0 ** -min(max(digits, 2), 12)
