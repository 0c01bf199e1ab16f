"""At which step of the run a line of its log was printed, told by the readers' own grammar."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from lossmon.readers.tags.meaning import meaning
from lossmon.readers.text.explain import explain_line
from lossmon.readers.text.progress_bars import tqdm
from lossmon.types import Axis, Ints, RunSnapshot, Series
from lossmon.ui.chart.run_model import steps_per_epoch

_CLOSE = 6e-4
"""How far a printed value may lie from the logged one, as a share: four digits are usual."""

_LONGEST = 16_384
"""Characters of a line that are looked at."""


class LogSteps:
    """Finds the step of a line of the log, and the line of a step.

    Args:
        run: The run, with its log and its series.
    """

    def __init__(self, run: RunSnapshot) -> None:
        self.run = run
        self._known: dict[int, int | None] = {}

    def at(self, line: int) -> int | None:
        """The step that a line tells, else that of the nearest line above that tells one, else
        of the first below; None where no line does."""
        for index in (*range(line, -1, -1), *range(line + 1, len(self.run.log))):
            told = self.told(index)
            if told is not None:
                return told
        return None

    def line(self, step: int) -> int | None:
        """The line nearest to a step: the last one of those that tell the nearest; None where
        no line tells a step.

        After a restart the log has two lines of one step; the newer one is meant.
        """
        best: tuple[int, int] | None = None
        for index in range(len(self.run.log) - 1, -1, -1):
            told = self.told(index)
            if told is None:
                continue
            distance = abs(told - step)
            if best is None or distance < best[0]:
                best = distance, index
            if distance == 0:
                break
        return None if best is None else best[1]

    def told(self, line: int) -> int | None:
        """The step that a line tells itself, None if it tells none."""
        if line not in self._known:
            self._known[line] = self._read(self.run.log[line][:_LONGEST])
        return self._known[line]

    def _read(self, text: str) -> int | None:
        # Most lines of a log without a digit say nothing of the training.
        if not any(char.isdigit() for char in text):
            return None
        said = explain_line(text)
        place = dict(said.position)
        step, epoch = _number(place.get("step")), _number(place.get("epoch"))
        if step is not None and epoch is None and self._counts_the_run(place.get("total")):
            return int(step)
        near = self._near(step, epoch)
        steps = self._measured(said.metrics)
        if len(steps):
            return int(steps[-1] if near is None else steps[np.abs(steps - near).argmin()])
        if near is not None:
            return near
        return self._bar(text) if not said.metrics else None

    def _counts_the_run(self, total: str | None) -> bool:
        """Whether a step counts from the start of the run, not of an epoch."""
        known = _number(total)
        return known is None or self.run.total_steps is None or known == self.run.total_steps

    def _near(self, step: float | None, epoch: float | None) -> int | None:
        """About where a step within an epoch stands, or an epoch alone."""
        ratio = self._steps_per_epoch()
        if epoch is None or ratio is None:
            return None if step is None else int(step)
        if step is None:
            return int(epoch * ratio)
        # Counted from the start of the run or of the epoch: what is nearer to the epoch counts.
        inside = (max(epoch, 1) - 1) * ratio + step
        return int(min((step, inside), key=lambda at: abs(at - epoch * ratio)))

    def _steps_per_epoch(self) -> float | None:
        lead = self.run.train_loss or self.run.eval_loss
        if lead is None or not self.run.epoch:
            return None
        return steps_per_epoch(self.run, lead)

    def _measured(self, metrics: Iterable[tuple[str, float]]) -> Ints:
        """Steps at which all values of a line were logged; those of its first where not all
        were, and none where none was."""
        found: Ints | None = None
        for tag, value in metrics:
            steps = self._steps_of(tag, value)
            if not len(steps):
                continue
            both = steps if found is None else np.intersect1d(found, steps)
            found = both if len(both) else found
        return np.empty(0, np.int64) if found is None else found

    def _steps_of(self, tag: str, value: float) -> Ints:
        if not math.isfinite(value):
            return np.empty(0, np.int64)
        key = meaning(tag).key
        for series in self.run.series:
            if series.tag == tag or series.meaning.key == key:
                steps = _where(series, value)
                if len(steps):
                    return steps
        return np.empty(0, np.int64)

    def _bar(self, text: str) -> int | None:
        """The step of a progress bar of the whole run, or of a checkpoint that is named."""
        bar = tqdm(text)
        if bar is not None and bar.bare and bar.total == self.run.total_steps:
            return bar.step
        named = [step for step, name in self.run.checkpoints if name and name in text]
        return named[-1] if named else None


def _where(series: Series, value: float) -> Ints:
    """Steps at which a value was logged: exactly, else as far as its digits can tell."""
    exact = np.asarray(series.steps[series.values == value])
    if len(exact) or series.axis not in (Axis.STEP, Axis.EPOCH, Axis.ORDER):
        return exact
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(series.values - value) <= _CLOSE * abs(value)
    return np.asarray(series.steps[close])


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def kept(chosen: int, old: Sequence[str], new: Sequence[str]) -> int:
    """Where a line of an older log stands in a newer one, which may have lost its first lines."""
    if not old or not new or not 0 <= chosen < len(old):
        return max(0, min(chosen, len(new) - 1))
    line = old[chosen]
    # The lines that stay are the very same objects: equal text may stand there many times.
    for index in range(min(chosen, len(new) - 1), -1, -1):
        if new[index] is line:
            return index
    return max(0, min(chosen, len(new) - 1))
