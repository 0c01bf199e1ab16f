"""Demo trainings from their first step to their last, at a pace that can be watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from lossmon.demo.cases import Case
from lossmon.demo.launch import prepare
from lossmon.demo.records import TrainingRecorder
from lossmon.demo.training import DemoTraining

STEPS_PER_SECOND = 20.0
"""Steps per second at speed 1, which can be followed by eye."""

CHECKPOINT_EVERY = 2
"""Evals per checkpoint: as in real runs, not every eval has a checkpoint."""

NAP = 0.1
"""Longest sleep in seconds, within which a request to stop is noticed."""


class RecordedTraining:
    """A training with the files that it writes.

    Args:
        out: Output directory; created if absent.
        seed: Seed of the data and of the initial weights.
        echo: Text file that gets every line of the text log too.

    Raises:
        ConfigError: `out` cannot be created or is not empty.
    """

    def __init__(self, case: Case, out: Path, seed: int, echo: TextIO | None) -> None:
        prepare(out)
        self._case = case
        self._training = DemoTraining(case, seed)
        self._recorder = TrainingRecorder(out, self._training, echo)

    @property
    def has_ended(self) -> bool:
        """Whether the last step was taken."""
        return self._training.steps_done >= self._case.steps

    def step(self) -> None:
        """Take a step, unless the last one was taken, and record it."""
        if self.has_ended:
            return
        case, recorder = self._case, self._recorder
        recorder.step(self._training.step())
        done = self._training.steps_done
        if done % case.eval_every == 0:
            recorder.eval(self._training.evaluate())
        if done % (case.eval_every * CHECKPOINT_EVERY) == 0:
            recorder.checkpoint()
        if done >= case.steps:
            recorder.finish()

    def interrupt(self) -> None:
        """Record that the training is stopped."""
        self._recorder.line(f"Training interrupted after step {self._training.steps_done}.")

    def close(self) -> None:
        """Close its files."""
        self._recorder.close()


def train(
    cases: Sequence[tuple[Case, Path]],
    *,
    seed: int = 0,
    speed: float = 1.0,
    stop: Callable[[], bool] = lambda: False,
    echo: TextIO | None = None,
) -> bool:
    """Train small language models side by side and log them as common trainers do.

    Args:
        cases: What to train, and the output directory of each.
        seed: Seed of the data and of the initial weights.
        speed: 1 is `STEPS_PER_SECOND`, 0 as fast as possible.
        stop: Called before every step; True ends the trainings.
        echo: Text file that gets every line of the text logs too.

    Returns:
        Whether the trainings were completed.

    Raises:
        ConfigError: An output directory cannot be created or is not empty.
    """
    running: list[RecordedTraining] = []
    try:
        for case, out in cases:
            running.append(RecordedTraining(case, out, seed, echo))
        started, step = time.monotonic(), 0
        while not all(one.has_ended for one in running):
            step += 1
            due = started + step / (STEPS_PER_SECOND * speed) if speed else 0.0
            if _stopped_before(due, stop):
                for one in running:
                    one.interrupt()
                return False
            for one in running:
                one.step()
        return True
    finally:
        for one in running:
            one.close()


def _stopped_before(due: float, stop: Callable[[], bool]) -> bool:
    """Sleep until `due`, in `time.monotonic()` seconds; True if stopped meanwhile."""
    while not stop():
        left = due - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(NAP, left))
    return True
