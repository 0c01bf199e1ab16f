"""Facts about a run that its text log states: plan, start, end, failure."""

from __future__ import annotations

import math

from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text.facts.announcements import Announcements
from lossmon.readers.text.facts.failures import Failures, unprefixed
from lossmon.readers.text.grammar.dialects import TRIALS
from lossmon.readers.text.grammar.prefix import prefix
from lossmon.types import Facts


class RunFacts:
    """Adds facts to a batch, each when it changes.

    Args:
        batch: Where to add them.

    Attributes:
        announced: What the banner of the HF Trainer announced.
        finished: The training has ended well.
    """

    def __init__(self, batch: BatchBuilder) -> None:
        self.announced = Announcements()
        self.finished = False
        self._batch = batch
        self._failures = Failures()
        self._is_started = False
        self._later: set[int] = set()
        """Steps of training since the end."""
        self._trials = {"trials": 0, "pruned": 0, "failed": 0}
        self._plan: tuple[int, float] = (0, 0.0)

    @property
    def watching(self) -> bool:
        """Whether every line must be checked: a traceback or a banner is being printed."""
        return self._failures.watching or self.announced.watching

    @property
    def ended(self) -> bool:
        """Whether the training has ended, well or not."""
        return self.finished or bool(self._failures.reason)

    @property
    def planned_steps(self) -> int:
        """Planned steps, 0 if unknown."""
        return self._plan[0]

    def check(self, text: str, before: str) -> bool:
        """Look for a crash, an end or a plan in a line, given the one above it.

        Returns:
            Whether a plan was announced.
        """
        if self._failures.add(*unprefixed(text, before)):
            self._batch.facts.append(Facts(failure=self._failures.reason))
        if not self.announced.add(text[prefix(text).end :]):
            return False
        if not self.announced.finished:
            return True
        self.announced.finished = False
        self.finish()
        if self.announced.best_step is not None:
            self.recall(self.announced.best_step)
        return False

    def plan(self, steps: int, epochs: float) -> None:
        """Set the planned steps and epochs, 0 if unknown."""
        if (steps, epochs) != self._plan:
            self._plan = (steps, epochs)
            self._batch.facts.append(Facts(total_steps=steps or None, total_epochs=epochs or None))

    def start(self, wall_time: float) -> None:
        """Note the time of a record, in seconds since the Unix epoch; the first one counts."""
        if not self._is_started and not math.isnan(wall_time):
            self._is_started = True
            self._batch.facts.append(Facts(started=wall_time))

    def finish(self, step: int = 0) -> None:
        """Note that the training ended well, and its last step, 0 if unknown."""
        if not self.finished:
            self.finished = True
            self._batch.facts.append(Facts(finished=True, step=step or None))

    def recall(self, step: int) -> None:
        """Note the step that the framework calls the best one."""
        self._batch.facts.append(Facts(best_step=step))

    def count_trial(self, ending: str, number: int) -> None:
        """Note that a trial of a study has ended.

        Args:
            ending: `trials/pruned` or `trials/failed`, or empty.
            number: Its number, from 0.
        """
        self._trials["trials"] = max(self._trials["trials"], number + 1)
        if ending:
            self._trials[ending.removeprefix(TRIALS)] += 1
        self._batch.facts.append(Facts(trials=dict(self._trials)))

    def measure(self, lines: int) -> None:
        """Note lines with metrics: a failure before them did not end the run."""
        if self._failures.reason and self._failures.clear(lines):
            self._batch.facts.append(Facts(failure=""))

    def train(self, step: int) -> None:
        """Note a line about training: two steps after an end are another training.

        A bar is drawn once more after the line that ends its training.
        """
        if self.finished:
            self._later.add(step)
        if len(self._later) > 1:
            self.finished = False
            self._later.clear()
            self._batch.facts.append(Facts(finished=False))
