"""Facts about a run that its text log states: plan, banners, start, end, failure."""

from __future__ import annotations

import math

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.text.facts.failures import Failures, unprefixed
from lossmon.readers.text.grammar.dialects import TRIALS
from lossmon.readers.text.grammar.prefix import prefix
from lossmon.types import Facts


class RunFacts:
    """Adds facts to a batch, each when it changes.

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


MARKERS = (
    "Running training", " stopped: `max_", "epochs completed in", "raining complete",
    "inished", "raining is ", "raining done", "teration is:", "bestIteration = ",
    "opping. Best iter", "ignaling Trainer to stop", "arly stop", "arly Stop", "ARLY STOP",
    "Saved pipeline to", '"run_stop"',
)  # fmt: skip
"""Every line that matters here contains one of these, or follows one that does."""

BANNER = 40
"""Lines after which an incomplete banner is abandoned; other ranks print in between."""

_FINISHED = lazy_pattern(
    r"(?i)^\W*(?:training (?!(?:epoch|step|iter|batch|fold|stage|phase|round)[a-z]*\b)"
    r"(?:(?:of )?[\w./-]{1,60} )?(?:is )?(?:completed?|finished|done)\b(?![ \w]*\bepoch)|"
    r"training (?:completed?|finished)|finished training|`?Trainer\.fit`? stopped: `max_\w+=|"
    r"\d+ epochs completed in [\d.]+ hours|"
    r"(?:early stopping,|did not meet early stopping\.) best iteration is:|"
    r"bestiteration = (?P<best>\d{1,18})\s*$|stopping\. best iteration:|"
    r"(?:monitored metric|stopping threshold reached:) .{1,300} signaling trainer to stop|"
    r"epoch 0*\d+: early stopping|✔ saved pipeline to |"
    r"(?:[\w ]{1,30}\]:? )?early stop(?:ping|ped)?(?:[.!\s]*$|"
    r" (?:was )?(?:triggered|activated|occurred)\b|"
    r" (?:training )?(?:after|at|on) (?:epoch |step |iteration |iter |round )?\d)|"
    r"mll(?:og)? ?\{.{0,200}\"key\": \"run_stop\")"
)
_NUMBERS = {
    "epochs": lazy_pattern(r"Num Epochs = ([\d,]{1,20})"),
    "examples": lazy_pattern(r"Num examples = ([\d,]{1,20})"),
    "per_epoch": lazy_pattern(r"steps per epoch = ([\d,]{1,20})"),
    "batch": lazy_pattern(r"Total train batch size [^=]{0,80}= ([\d,]{1,20})"),
    "total": lazy_pattern(r"Total optimization steps = ([\d,]{1,20})"),
}


class Announcements:
    """Reads the banner of the HF Trainer and the lines that end a training.

    Attributes:
        total_steps: Steps that the banner announced, 0 before it is complete.
        total_epochs: Epochs that it announced.
        per_epoch: Steps per epoch, 0 if unknown.
        finished: A line announced that the training ended well.
        best_step: The best step, if that line named it.
    """

    def __init__(self) -> None:
        self.total_steps = 0
        self.total_epochs = 0
        self.per_epoch = 0.0
        self.finished = False
        self.best_step: int | None = None
        self._left = 0
        self._banner: dict[str, int] | None = None

    @property
    def watching(self) -> bool:
        """Whether a banner is being printed: every line matters until it ends."""
        return self._banner is not None

    def add(self, message: str) -> bool:
        """Add a line without its prefixes; True if it completed a banner or ended the run."""
        if "***** Running training" in message:
            self._banner = {}
            self._left = BANNER
            return False
        if ended := _FINISHED.match(message):
            self.finished = True
            self.best_step = int(ended["best"]) if ended["best"] else None
            return True
        if self._banner is None:
            return False
        self._left -= 1
        if self._left <= 0:
            self._banner = None
            return False
        for name, pattern in _NUMBERS.items():
            if found := pattern.search(message):
                self._banner.setdefault(name, int(found[1].replace(",", "")))
        return "total" in self._banner and self._complete(self._banner)

    def _complete(self, banner: dict[str, int]) -> bool:
        self._banner = None
        self.total_steps, self.total_epochs = banner["total"], banner.get("epochs", 0)
        self.per_epoch = float(banner.get("per_epoch", 0)) or self._derived(banner)
        return True

    def _derived(self, banner: dict[str, int]) -> float:
        """Steps per epoch for versions that do not print them."""
        examples, batch = banner.get("examples", 0), banner.get("batch", 0)
        epochs = self.total_epochs
        whole = float(math.ceil(examples / batch)) if examples and batch else 0.0
        if not epochs:
            return whole
        if whole and (epochs - 1) * whole < self.total_steps <= epochs * whole:
            return whole
        return self.total_steps / epochs
