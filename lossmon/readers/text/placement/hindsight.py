"""What lines of a text log owe to others: hindsight about steps, headings that give a split."""

from __future__ import annotations

from dataclasses import field
from functools import partial

from lossmon.fast_dataclass import dataclass
from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.words import SAYS_SPLIT
from lossmon.readers.text.templates import Template

MOST_READINGS = 3
"""Times a log is read again, so that a hostile one does not cost more."""

Tags = tuple[str, ...]


@dataclass(slots=True)
class Hindsight:
    """What must be known before a log is read, found out by reading it.

    Attributes:
        stacked: Tags of shapes that state only their epoch, several lines per epoch.
        summed: Tags of batches of evaluations that another line sums up.
        total_steps: Planned steps of the HF Trainer, 0 if unknown.
        steps_per_epoch: Steps of each of its epochs.
        interval: Steps between its train records, 0 if unknown.
        logs_first: The first of them is that of step 1.
        by_epoch: The HF Trainer evaluates more often than it logs, at the ends of epochs.
        has_train_set: The first of XGBoost's two eval sets is the train set.
        is_new: Something was found out since the log was begun.
        readings: Times the log was begun again.
    """

    stacked: set[Tags] = field(default_factory=set)
    summed: set[Tags] = field(default_factory=set)
    total_steps: int = 0
    steps_per_epoch: float = 0.0
    interval: int = 0
    logs_first: bool = False
    by_epoch: bool = False
    has_train_set: bool = False
    is_new: bool = False
    readings: int = 0

    def add_stacked(self, tags: Tags) -> None:
        """Note that lines with some tags share their epochs."""
        self.stacked.add(tags)
        self.is_new = True

    def add_summed(self, tags: Tags) -> None:
        """Note that lines about the batches of an evaluation are followed by their mean."""
        if tags not in self.summed:
            self.summed.add(tags)
            self.is_new = True

    def set_plan(self, total_steps: int, steps_per_epoch: float) -> None:
        """Note the plan of a training that only its last record states."""
        self.total_steps, self.steps_per_epoch = total_steps, steps_per_epoch
        self.is_new = True

    def set_interval(self, steps: int, *, logs_first: bool) -> None:
        """Note how many steps apart the train records of the HF Trainer are."""
        self.interval, self.logs_first = steps, logs_first
        self.is_new = True

    def set_by_epoch(self) -> None:
        """Note that records of the HF Trainer are placed by their epochs."""
        if not self.by_epoch:
            self.by_epoch = self.is_new = True

    def set_train_set(self, fitted_better: bool, *, is_first: bool) -> None:
        """Note whether a model fits the first of two eval sets better.

        Args:
            fitted_better: It does at some line.
            is_first: It is the first such line, after which nothing has to be read again.
        """
        if is_first and self.readings == 0:
            self.has_train_set = fitted_better
        elif not is_first and fitted_better != self.has_train_set:
            self.has_train_set, self.is_new = fitted_better, True

    @property
    def is_pending(self) -> bool:
        """Whether the log must be read again."""
        return self.is_new and self.readings < MOST_READINGS

    def begin_again(self) -> bool:
        """Whether the log must be read again now: only once for what was found out."""
        if not self.is_pending:
            return False
        self.is_new = False
        self.readings += 1
        return True


MOST = 512
"""Templates remembered with other tags: a log has a handful below its headings."""


BATCHES = "batches"
"""Split of lines about the batches of an evaluation, which sums them up below another heading."""


class SectionHeading:
    """Remembers a heading (`Test Error:`) and adds its split to the tags below it.

    The heading holds until a line has a position, or the same metrics come again. A line that
    repeats the last step is still below it.
    """

    def __init__(self) -> None:
        self._split = ""
        self._seen: set[Template] = set()
        self._renamed: dict[tuple[Template, str], Template] = {}

    @property
    def holds(self) -> bool:
        """Whether the next lines are below a heading."""
        return bool(self._split)

    def begin(self, split: str) -> None:
        """Note a heading; that of a training ends the one before."""
        self._split = "" if split == "train" else split
        self._seen.clear()

    def renamed(self, template: Template, repeats: bool = False) -> Template | None:
        """Return the template for a line of this shape here; None for one about a batch."""
        parsed = template.parsed
        if not self._split or not template.values:
            return template
        if self._split == BATCHES and parsed.position.scale is Scale.NONE:
            return None
        placed = parsed.position.scale is not Scale.NONE
        if (placed and not repeats) or parsed.split or template in self._seen:
            self._split = ""
            return template
        if not placed:
            self._seen.add(template)
        known = self._renamed.get((template, self._split))
        if known is None:
            if len(self._renamed) >= MOST:
                self._renamed.clear()
            known = template.renamed(partial(_under, self._split), self._split)
            self._renamed[template, self._split] = known
        return known


def _under(split: str, tag: str) -> str:
    return tag if SAYS_SPLIT.search(tag) else f"{split}/{tag}"
