"""Demo training from its first step to its last, at a pace that can be watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from lossmon.demo.cases import Case
from lossmon.demo.directory import prepare
from lossmon.demo.records import TrainingRecorder
from lossmon.demo.training import DemoTraining

STEPS_PER_SECOND = 10.0
"""Steps per second at speed 1, which can be followed by eye."""

CHECKPOINT_EVERY = 2
"""Evals per checkpoint: as in real runs, not every eval has a checkpoint."""

NAP = 0.1
"""Longest sleep in seconds, within which a request to stop is noticed."""


def train(
    case: Case,
    out: Path,
    *,
    seed: int = 0,
    speed: float = 1.0,
    stop: Callable[[], bool] = lambda: False,
    echo: TextIO | None = None,
) -> bool:
    """Train a small language model and log it as common trainers do.

    Args:
        case: Hyperparameters and data.
        out: Output directory; created if absent.
        seed: Seed of the data and of the initial weights.
        speed: 1 is ten steps per second, 0 as fast as possible.
        stop: Called before every step; True ends the training.
        echo: Text file that gets every line of the text log too.

    Returns:
        Whether the training was completed.

    Raises:
        ConfigError: `out` cannot be created or is not empty.
    """
    prepare(out)
    training = DemoTraining(case, seed)
    recorder = TrainingRecorder(out, training, echo)
    try:
        started = time.monotonic()
        for step in range(1, case.steps + 1):
            due = started + step / (STEPS_PER_SECOND * speed) if speed else 0.0
            if _stopped_before(due, stop):
                recorder.line(f"Training interrupted after step {step - 1}.")
                return False
            recorder.step(training.step())
            if step % case.eval_every == 0:
                recorder.eval(training.evaluate())
            if step % (case.eval_every * CHECKPOINT_EVERY) == 0:
                recorder.checkpoint()
        recorder.finish()
        return True
    finally:
        recorder.close()


def _stopped_before(due: float, stop: Callable[[], bool]) -> bool:
    """Sleep until `due`, in `time.monotonic()` seconds; True if stopped meanwhile."""
    while not stop():
        left = due - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(NAP, left))
    return True
