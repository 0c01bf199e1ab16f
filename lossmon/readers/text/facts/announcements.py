"""Announcements in a log: the banner of the HF Trainer, and the end of a training."""

from __future__ import annotations

import math

from lossmon.lazy_pattern import lazy_pattern

MARKERS = (
    "Running training", " stopped: `max_", "epochs completed in", "raining complete",
    "inished", "raining is ", "raining done", "teration is:", "bestIteration = ",
    "opping. Best iter", "ignaling Trainer to stop", ": early stopping", "Saved pipeline to",
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
    r"epoch 0*\d+: early stopping|✔ saved pipeline to )"
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
