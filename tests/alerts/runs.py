"""Runs as alerts see them, with the verdicts that a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lossmon.types import (
    Confidence,
    Diagnosis,
    Finding,
    Kind,
    Meaning,
    RunSnapshot,
    RunState,
    Series,
    Severity,
    Split,
    VerdictChange,
)

SEVERITIES = {
    "warming_up": Severity.NEUTRAL,
    "healthy": Severity.OK,
    "oscillating": Severity.NOTICE,
    "overfitting": Severity.WARNING,
    "spike": Severity.WARNING,
    "diverging": Severity.CRITICAL,
    "non_finite": Severity.CRITICAL,
}


def finding(code: str, since: int = 1, severity: Severity | None = None) -> Finding:
    return Finding(code, severity or SEVERITIES[code], since, Confidence.HIGH)


def change(code: str, step: int) -> VerdictChange:
    return VerdictChange(step, code, SEVERITIES[code])


def series(split: Split, steps: Sequence[int]) -> Series:
    name = f"{split.value}/loss"
    count = len(steps)
    return Series(
        name,
        Meaning(name, f"{split.value} loss", split, Kind.LOSS),
        steps=np.array(steps, np.int64),
        values=np.ones(count),
        wall_times=np.full(count, np.nan),
        n=count,
        last_step=steps[-1] if steps else 0,
        last=1.0,
        minimum=1.0,
    )


def run(
    *verdicts: tuple[str, int],
    step: int = 100,
    name: str = "a",
    beside: Sequence[Finding] = (),
    state: RunState = RunState.RUNNING,
    evals: Sequence[int] = (),
    **changes: object,
) -> RunSnapshot:
    """A run at a step.

    Args:
        verdicts: Codes that were the badge, and the steps at which each was shown.
        step: Newest step.
        name: Name and last part of the path.
        beside: Findings beside the verdict.
        state: What it is doing.
        evals: Steps of its evals.
        changes: Other fields.
    """
    verdicts = verdicts or (("healthy", 10),)
    verdict = finding(*verdicts[-1])
    losses = (series(Split.TRAIN, range(1, step + 1)), series(Split.EVAL, evals))
    snapshot = RunSnapshot(
        name,
        Path("/runs") / name,
        state=state,
        step=step,
        total_steps=1000,
        series=losses[: 2 if evals else 1],
        train=0,
        eval=1 if evals else None,
        diagnosis=Diagnosis(verdict, (verdict, *beside), tuple(change(*one) for one in verdicts)),
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]


class FakeClock:
    """Seconds since the Unix epoch that only a test moves."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
