"""The same run told differently must get the same final verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.diagnosis.runs import EVAL, MEANINGS, TRAIN, Run

LOSSES = (TRAIN, EVAL)
SCALE = 1000.0
OFFSET = 100_000
DIGITS = 5


def scaled(run: Run) -> Run:
    """Both losses a thousand times as high."""
    losses = np.isin(run.series, LOSSES)
    return replace(run, values=np.where(losses, run.values * SCALE, run.values))


def shifted(run: Run) -> Run:
    """All steps later."""
    return replace(run, steps=run.steps + OFFSET)


def thinned(every: int) -> Callable[[Run], Run]:
    """Every nth train point only, with what was logged at its step."""

    def thin(run: Run) -> Run:
        count = np.cumsum(run.series == TRAIN)
        first = np.where(run.series == TRAIN, count - 1, count)
        keep = np.isin(run.series, (EVAL, 4, 5)) | (first % every == 0)
        return replace(run, series=run.series[keep], steps=run.steps[keep], values=run.values[keep])

    return thin


def rounded(run: Run) -> Run:
    """Values as a log prints them, with five digits."""
    values = [float(f"{value:.{DIGITS}g}") for value in run.values.tolist()]
    return replace(run, values=np.array(values))


def through_text(run: Run) -> Run:
    """Written as CSV with Windows line ends and read again."""
    lines = [
        f"{MEANINGS[which].key},{step},{value!r}\r\n"
        for which, step, value in zip(
            run.series.tolist(), run.steps.tolist(), run.values.tolist(), strict=True
        )
    ]
    cells = [line.strip().split(",") for line in "".join(lines).splitlines()]
    return replace(run, values=np.array([float(cell[2]) for cell in cells]))


CHANGES: dict[str, Callable[[Run], Run]] = {
    "scale x1000": scaled,
    "step offset": shifted,
    "every 2nd train point": thinned(2),
    "every 5th train point": thinned(5),
    "CRLF text": through_text,
    "five digits": rounded,
}
"""What is done to a run, by name."""
