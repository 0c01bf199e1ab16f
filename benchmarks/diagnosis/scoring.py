"""From verdicts to figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.diagnosis.runs import EVAL, TRAIN, Run
from lossmon.types import Confidence, Diagnosis, Severity, VerdictChange

CONDITION_OF = {
    "spike": "spike_recovered",
    "lr_too_high": "oscillating",
    "lr_too_low": "plateau",
    "warming_up": "healthy",
    "too_few_evals": "healthy",
}
"""Condition that a verdict stands for where their names differ."""

QUIET = ("healthy", "converged", "restart")
"""Conditions on which a warning is a false alarm."""

SUDDEN = ("overfitting", "diverging", "non_finite", "fast_memorisation")
"""Conditions with a true onset that an accepted verdict can be late for."""


def predicted(run: Run, code: str) -> str:
    """The condition that a verdict on a run amounts to: the true one if it is accepted."""
    return run.label if code in run.accept else CONDITION_OF.get(code, code)


def macro_f1(pairs: Iterable[tuple[str, str]]) -> tuple[float, dict[str, float]]:
    """Mean over the true classes of F1, and each class's own, from (truth, prediction)."""
    hit: Counter[str] = Counter()
    truth: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for true, guess in pairs:
        truth[true] += 1
        said[guess] += 1
        hit[true] += true == guess
    each = {label: 2 * hit[label] / (truth[label] + said[label]) for label in truth}
    return (sum(each.values()) / len(each) if each else 0.0), each


def confusion(runs: Iterable[Run], codes: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Per condition, how often each verdict was the last."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        code = codes[run.name]
        table[run.label][f"ok:{code}" if code in run.accept else code] += 1
    return table


def false_alarm(run: Run, history: Iterable[VerdictChange]) -> VerdictChange | None:
    """The first warning or worse on a quiet run that its accepted verdicts do not name."""
    for turn in history:
        if turn.severity >= Severity.WARNING and turn.code not in run.accept:
            return turn
    return None


def delay(run: Run, history: Iterable[VerdictChange]) -> int | None:
    """Evals logged after the onset and up to the first accepted verdict since; None if none."""
    if run.onset is None:
        return None
    turns = list(history)
    right = [t.step for t in turns if t.code in run.accept and t.step >= run.onset]
    held = [t for t in turns if t.step < run.onset]
    if held and held[-1].code in run.accept:
        return 0
    if not right:
        return None
    steps, _ = run.curve(EVAL)
    return int(np.count_nonzero((steps > run.onset) & (steps <= right[0])))


@dataclass(frozen=True)
class Overfit:
    """Overfitting or not on finished runs, and how it was seen on the way."""

    macro_f1: float
    false_alarms: float
    live_share: float
    delay: float
    ever: int


def overfit_figures(
    runs: Iterable[Run], final: Mapping[str, bool], first_alarm: Mapping[str, int | None]
) -> Overfit:
    """Figures over runs labelled overfit or non_overfit.

    Args:
        final: Whether the finished run is called overfitting.
        first_alarm: Epoch of the first overfitting verdict on the way.
    """
    runs = list(runs)
    pairs = [(r.label, "overfit" if final[r.name] else "non_overfit") for r in runs]
    delays, ever = [], 0
    for run in runs:
        alarm = first_alarm[run.name]
        if run.label == "overfit" and alarm is not None:
            ever += 1
            delays.append(alarm - best_epoch(run))
    quiet = [run for run in runs if run.label != "overfit"]
    noisy = sum(first_alarm[run.name] is not None for run in quiet)
    return Overfit(
        macro_f1(pairs)[0],
        noisy / len(quiet) if quiet else 0.0,
        sum(d >= 0 for d in delays) / len(delays) if delays else 0.0,
        median([d for d in delays if d >= 0]) if any(d >= 0 for d in delays) else float("nan"),
        ever,
    )


def best_epoch(run: Run) -> int:
    """Step of the lowest finite eval loss."""
    steps, values = run.curve(EVAL)
    return int(steps[np.nanargmin(np.where(np.isfinite(values), values, np.inf))])


def is_broken(run: Run) -> bool:
    """A loss of the run is NaN or infinite somewhere."""
    return bool(np.any(~np.isfinite(run.values[np.isin(run.series, (TRAIN, EVAL))])))


def broken_delay(run: Run, diagnosis: Diagnosis) -> int | None:
    """Loss points between the first that is no number and the verdict; None if never."""
    losses = np.isin(run.series, (TRAIN, EVAL))
    steps = run.steps[losses & ~np.isfinite(run.values)]
    said = [t.step for t in diagnosis.history if t.code == "non_finite"]
    if not said:
        return None
    return int(np.count_nonzero(np.unique(run.steps[losses & (run.steps > steps[0])]) <= said[0]))


def is_right(run: Run, diagnosis: Diagnosis) -> bool | None:
    """Whether the last verdict on a run is right; None where nobody knows.

    Of the public curves, those with a loss that is no number are known, and those that their
    authors call overfit or not.
    """
    code = diagnosis.verdict.code
    if run.accept:
        return code in run.accept
    if is_broken(run):
        return code == "non_finite"
    if run.label in ("overfit", "non_overfit"):
        return confirmed_overfitting(diagnosis) == (run.label == "overfit")
    return None


def confirmed_overfitting(diagnosis: Diagnosis) -> bool:
    """The final word is overfitting, not only a suspicion of it."""
    verdict = diagnosis.verdict
    return verdict.code == "overfitting" and verdict.severity >= Severity.WARNING


def calibration(
    runs: Iterable[Run], verdicts: Mapping[str, Diagnosis]
) -> dict[Confidence, tuple[int, int]]:
    """Right verdicts and all verdicts said with each confidence, of those that can be checked."""
    counts = dict.fromkeys(Confidence, (0, 0))
    for run in runs:
        diagnosis = verdicts[run.name]
        right = is_right(run, diagnosis)
        if right is not None:
            before, said = counts[diagnosis.verdict.confidence]
            counts[diagnosis.verdict.confidence] = before + right, said + 1
    return counts


def changes(diagnosis: Diagnosis) -> int:
    """How often the badge changed after it first appeared."""
    return max(len(diagnosis.history) - 1, 0)
