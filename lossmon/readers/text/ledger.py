"""What a text log has told so far: its points and its facts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lossmon.readers.points_builder import Columns
from lossmon.readers.text.announcements import Announcements
from lossmon.readers.text.clock import Clock
from lossmon.readers.text.failures import Failures, unprefixed
from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.prefix import prefix
from lossmon.readers.text.grammar.words import EVAL_NAME
from lossmon.readers.text.headings import SectionHeading
from lossmon.readers.text.hf_trainer_steps import Placed, Record, TrainerSteps
from lossmon.readers.text.progress_bars import StaleBarValues, tqdm
from lossmon.readers.text.ranks import RankMonitor, RankSelector
from lossmon.readers.text.steps import Row, StepFinder
from lossmon.readers.text.templates import Template
from lossmon.types import Axis, Facts

Item = tuple[Template, Row, frozenset[str]]


class Ledger:
    """Gives every line its step and keeps what it says until it is handed over.

    Attributes:
        columns: Points since they were last taken.
        trainer: The HF Trainer prints here.
        last_bar: Newest state of a progress bar.
        notes: Words about the log since they were last taken away.
        order: Position of the next record.
    """

    def __init__(self, order: int = 0) -> None:
        self.columns = Columns()
        self.notes: list[str] = []
        self.trainer = False
        self.last_bar = ""
        self._facts: list[Facts] = []
        self.order = order
        self._steps = StepFinder()
        self._clock = Clock()
        self._speaker: RankSelector[tuple[Template, Row]] = RankSelector()
        self._laggards = RankMonitor()
        self._records: TrainerSteps[Item] = TrainerSteps()
        self._echo: tuple[float, float, frozenset[str]] | None = None
        self._waiting: list[tuple[Template, Row]] = []
        self._numbered = False
        """The log says no positions: its lines are numbered."""
        self._newest: tuple[Template | None, int] = (None, 0)
        """Shape and step of the newest line with metrics."""
        self._below = SectionHeading()
        self._shown = StaleBarValues()
        self._from_zero: set[Template] = set()
        """Shapes of lines that count the batches of an evaluation from 0."""
        self._stale: dict[str, str] = {}
        self._failures = Failures()
        self._news = Announcements()
        self._finished = False
        self._totals: tuple[int, float] = (0, 0.0)
        self._started = False

    @property
    def watching(self) -> bool:
        """Every line must be shown to `notice`: a traceback or a banner is being printed."""
        return self._failures.watching or self._news.watching

    @property
    def waits_for_bar(self) -> bool:
        """Records of the HF Trainer wait for the bar that tells their step."""
        return self._records.waiting

    def take_facts(self) -> tuple[Facts, ...]:
        """Return what became known of the run since the last call."""
        facts, self._facts = tuple(self._facts), []
        return facts

    def take_bar(self, step: int, total: int) -> None:
        """Take a state of a bar without a description."""
        if self._records.waiting:
            self._placed(self._records.bar(step, total))

    def take_rows(self, template: Template, rows: Sequence[Row]) -> None:
        """Take lines of one shape, each given by its numbers."""
        if template.parsed.heading:
            self._below.head(template.parsed.heading)
        elif self._below.holds and rows:
            self._take(self._below.name(template), rows[:1])
            rows = rows[1:]
            if not rows:
                return
            template = self._below.name(template)
        self._take(template, rows)

    def _take(self, template: Template, rows: Sequence[Row]) -> None:
        parsed = template.parsed
        if template.values and self._failures.reason and self._failures.progress():
            self._facts.append(Facts(failure=""))
        if parsed.trainer:
            self._take_records(template, rows)
            return
        painted = template.step >= 0 and parsed.position.scale is Scale.EPOCH
        if parsed.last_only or painted or (rows and self._steps.is_inner(template, rows[-1])):
            rows = [row for row in rows if self._is_last(template, row)]
        if parsed.bar and not parsed.split:
            rows = [row for row in rows if not self._shown.is_left_over(template, row)]
        if template.rank >= 0:
            for row in rows:
                self._spoken(template, row)
        elif rows:
            self._place(template, rows)

    def _is_last(self, template: Template, row: Row) -> bool:
        """Whether a count within an evaluation or a Keras epoch has reached its end."""
        if template.total < 0:
            return True
        step = int(row[template.step])
        if step == 0:
            self._from_zero.add(template)
        return step + (template in self._from_zero) >= int(row[template.total])

    def _spoken(self, template: Template, row: Row) -> None:
        tags = tuple(tag for tag, _, _ in template.values)
        step = row[template.step] if template.step >= 0 else ""
        if step and (word := self._laggards.hear(int(row[template.rank]), int(step))):
            self.notes.append(word)
        for known, spoken in self._speaker.offer(
            int(row[template.rank]), tags, step, (template, row)
        ):
            self._place(known, [spoken])

    def _place(self, template: Template, rows: Sequence[Row]) -> None:
        placing = self._steps.place(template, rows)
        self._plans()
        if placing is None:
            self._unplaced(template, rows)
            return
        steps, axis = placing
        if not template.values:
            return
        rows, steps = self._first_copies(template, rows, steps)
        if self._waiting and rows:
            self._release(steps[0], axis)
        if not template.parsed.bar or template.parsed.split:
            if rows:
                self._emit(template, rows, steps, axis)
            return
        for row, step in zip(rows, steps, strict=True):
            again = self._shown.repeated(template, row, step)
            if any(tag not in again for tag, _, _ in template.values):
                self._emit(template, [row], [step], axis, again)

    def _first_copies(
        self, template: Template, rows: Sequence[Row], steps: list[int]
    ) -> tuple[Sequence[Row], list[int]]:
        """Leave out lines that repeat the step of the line before: copies of other processes.

        A script that prints on every process prints each step as often; nothing tells whose line
        is whose, so the first one stands for all.
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

    def _unplaced(self, template: Template, rows: Sequence[Row]) -> None:
        """Lines without any position: numbered, once it is clear that the log has none."""
        for row in rows:
            if not template.values:
                continue
            if not self._numbered:
                tags = {tag for known, _ in self._waiting for tag, _, _ in known.values}
                if not self._steps.repeats(template, tags):
                    self._waiting.append((template, row))
                    continue
                self._numbered = True
                waiting, self._waiting = self._waiting, []
                for known, held in waiting:
                    self._emit(known, [held], [self._steps.counted(known)], Axis.ORDER)
            self._emit(template, [row], [self._steps.counted(template)], Axis.ORDER)

    def _release(self, step: int, axis: Axis) -> None:
        """What was printed before the first position belongs right before it."""
        waiting, self._waiting = self._waiting, []
        for template, row in waiting:
            self._emit(template, [row], [max(0, step - 1)], axis)

    def _emit(
        self,
        template: Template,
        rows: Sequence[Row],
        steps: list[int],
        axis: Axis,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        count = len(rows)
        orders = range(self.order, self.order + count)
        self.order += count
        if template.time >= 0:
            walls = [self._clock.seconds(row[template.time]) for row in rows]
            self._begun(walls[0])
        else:
            walls = [math.nan] * count
        columns = list(zip(*rows, strict=True))
        for tag, index, scale in template.values:
            if tag in skip:
                continue
            texts = columns[index]
            if template.parsed.stale and EVAL_NAME.search(tag):
                self._changed(tag, texts, orders, steps, walls, axis)
                continue
            values = map(float, texts) if scale == 1.0 else [float(t) * scale for t in texts]
            self.columns.extend(tag, axis, orders, steps, walls, values)
        if template.epoch >= 0 and "epoch" not in skip:
            epochs = map(float, columns[template.epoch])
            self.columns.extend("epoch", axis, orders, steps, walls, epochs)
        if self._finished and _trains(template):
            self._finished = False
            self._facts.append(Facts(finished=False))

    def _changed(
        self,
        tag: str,
        texts: Sequence[str],
        orders: range,
        steps: list[int],
        walls: list[float],
        axis: Axis,
    ) -> None:
        """Values that repeat until they are measured again: only a change is a point."""
        for text, order, step, wall in zip(texts, orders, steps, walls, strict=True):
            if self._stale.get(tag) != text:
                self._stale[tag] = text
                self.columns.extend(tag, axis, (order,), (step,), (wall,), (float(text),))

    def _take_records(self, template: Template, rows: Sequence[Row]) -> None:
        parsed = template.parsed
        if len(rows) > 1 and not (parsed.summary or parsed.echo or self._echo or self.last_bar):
            self.trainer = True
            epochs = [float(row[template.epoch]) for row in rows]
            half = _half(rows[0][template.epoch])
            placing = self._records.add_run(epochs, half, _trains(template))
            if placing is not None:
                self._emit(template, rows, *placing)
                return
        for row in rows:
            self._record(template, row)

    def _record(self, template: Template, row: Row) -> None:
        parsed = template.parsed
        if parsed.summary:
            self._end_well()
            return
        self.trainer = self.trainer or not parsed.echo
        if self.last_bar and not self._records.waiting:
            bar = tqdm(self.last_bar)
            if bar is not None and bar.bare:
                self._placed(self._records.bar(bar.step, bar.total))
            self.last_bar = ""
        text = row[template.epoch]
        epoch = float(text)
        item = (template, row, self._repeated(template, row, epoch))
        record = Record(item, epoch, _half(text), _trains(template))
        self._placed(self._records.add(record))

    def _repeated(self, template: Template, row: Row, epoch: float) -> frozenset[str]:
        """Tags that LLaMA-Factory's own logger has already printed for this record."""
        loss = next((float(row[index]) for tag, index, _ in template.values if tag == "loss"), None)
        if loss is None:
            return frozenset()
        if template.parsed.echo:
            tags = frozenset(tag for tag, _, _ in template.values)
            self._echo = (epoch, loss, tags | {"epoch"})
            return frozenset()
        echo, self._echo = self._echo, None
        if echo is None or abs(echo[0] - epoch) > 0.006 * max(1.0, epoch):
            return frozenset()
        same = math.isclose(echo[1], loss, rel_tol=2e-3) or (
            math.isnan(echo[1]) and math.isnan(loss)
        )
        return echo[2] if same else frozenset()

    def _placed(self, placed: list[Placed[Item]]) -> None:
        for (template, row, skip), step, axis in placed:
            self._emit(template, [row], [step], axis, skip)
        if placed:
            self._plans()

    def notice(self, text: str, before: str) -> None:
        """Look for crashes and announcements in a line, given the one above it."""
        if self._failures.line(*unprefixed(text, before)):
            self._facts.append(Facts(failure=self._failures.reason))
        if self._news.line(text[prefix(text).end :]):
            if self._news.finished:
                self._news.finished = False
                self._end_well()
            else:
                self._records.announce(total=self._news.total_steps, per_epoch=self._news.per_epoch)
                self._plans()

    def _plans(self) -> None:
        steps = self._records.total or self._steps.total_steps
        epochs = float(self._news.total_epochs or self._steps.total_epochs)
        if (steps, epochs) != self._totals:
            self._totals = (steps, epochs)
            self._facts.append(Facts(total_steps=steps or None, total_epochs=epochs or None))

    def _begun(self, wall: float) -> None:
        if not self._started and not math.isnan(wall):
            self._started = True
            self._facts.append(Facts(started=wall))

    def _end_well(self) -> None:
        if not self._finished:
            self._finished = True
            self._facts.append(Facts(finished=True))


def _trains(template: Template) -> bool:
    """Whether a line speaks of training rather than of an evaluation."""
    return any(not EVAL_NAME.search(tag) for tag, _, _ in template.values)


def _half(text: str) -> float:
    """Half of the last printed digit."""
    digits = len(text.partition(".")[2]) if "e" not in text.lower() else 6
    return 0.5 * 10.0 ** -min(digits, 12)
