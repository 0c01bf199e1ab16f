"""Steps of the lines of a text log, parsed with the grammar of the text reader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from lossmon.monitor.runs.run_state import steps_per_epoch
from lossmon.readers.tags.meaning import meaning
from lossmon.readers.text.explain import explain_line
from lossmon.readers.text.progress_bars import tqdm
from lossmon.types import Axis, Ints, RunSnapshot, Series

_CLOSE = 6e-4
"""Relative difference up to which a printed value equals a logged one: four digits are usual."""

_LONGEST = 16_384
"""Characters parsed per line."""


class LogSteps:
    """Index from the lines of a run's log to steps, and back. Lines are parsed when asked for.

    Args:
        run: The run, with its log and its series.
    """

    def __init__(self, run: RunSnapshot) -> None:
        self.run = run
        self._known: dict[int, int | None] = {}

    def step_at(self, line: int) -> int | None:
        """Step of a line, else of the nearest line above that has one, else of the first below;
        None where no line has a step."""
        for index in (*range(line, -1, -1), *range(line + 1, len(self.run.log))):
            step = self.step_of(index)
            if step is not None:
                return step
        return None

    def line_at(self, step: int) -> int | None:
        """Index of the line whose step is nearest, the last of several; None where no line has a
        step.

        After a restart the log has two lines per step; the newer one counts.
        """
        best: tuple[int, int] | None = None
        for index in range(len(self.run.log) - 1, -1, -1):
            found = self.step_of(index)
            if found is None:
                continue
            distance = abs(found - step)
            if best is None or distance < best[0]:
                best = distance, index
            if distance == 0:
                break
        return None if best is None else best[1]

    def step_of(self, line: int) -> int | None:
        """Step of a line by itself, None where it has none."""
        if line not in self._known:
            self._known[line] = self._read(self.run.log[line][:_LONGEST])
        return self._known[line]

    def _read(self, text: str) -> int | None:
        # A line without a digit has no step.
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
        """Whether a step is counted from the start of the run, not of an epoch."""
        known = _number(total)
        return known is None or self.run.total_steps is None or known == self.run.total_steps

    def _near(self, step: float | None, epoch: float | None) -> int | None:
        """Approximate step of a step within an epoch, or of an epoch alone."""
        ratio = self._steps_per_epoch()
        if epoch is None or ratio is None:
            return None if step is None else int(step)
        if step is None:
            return int(epoch * ratio)
        # Counted from the start of the run or of the epoch: the one nearer to the epoch is right.
        inside = (max(epoch, 1) - 1) * ratio + step
        return int(min((step, inside), key=lambda at: abs(at - epoch * ratio)))

    def _steps_per_epoch(self) -> float | None:
        lead = self.run.train_loss or self.run.eval_loss
        if lead is None or not self.run.epoch:
            return None
        return steps_per_epoch(self.run, lead)

    def _measured(self, metrics: Iterable[tuple[str, float]]) -> Ints:
        """Steps at which all values of a line were logged; if there is none, those of its first
        value that was logged."""
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
        """Step of a progress bar of the whole run, or of a checkpoint that the line names."""
        bar = tqdm(text)
        if bar is not None and bar.bare and bar.total == self.run.total_steps:
            return bar.step
        named = [step for step, name in self.run.checkpoints if name and name in text]
        return named[-1] if named else None


def _where(series: Series, value: float) -> Ints:
    """Steps at which a value was logged: exactly, else to the digits that were printed."""
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


def moved_index(chosen: int, old: Sequence[str], new: Sequence[str]) -> int:
    """Index of a line of an older log in a newer one, which may have lost its first lines."""
    if not old or not new or not 0 <= chosen < len(old):
        return max(0, min(chosen, len(new) - 1))
    line = old[chosen]
    # Lines that stay are the same objects: equal text may occur many times.
    for index in range(min(chosen, len(new) - 1), -1, -1):
        if new[index] is line:
            return index
    return max(0, min(chosen, len(new) - 1))
