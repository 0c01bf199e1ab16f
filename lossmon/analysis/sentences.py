"""Sentences about a run in the user's language: stopping, checkpoints, forecast, metrics."""

from __future__ import annotations

import math

from lossmon.analysis.early_stopping import (
    EarlyStopSaving,
    MetricStanding,
    WaitReason,
    early_stop,
    standings,
)
from lossmon.diagnosis.advice import advise
from lossmon.fast_dataclass import dataclass
from lossmon.locale import Values, metric_name, section
from lossmon.types import Axis, Diagnosis, Forecast, RunSnapshot, Severity


def _sentence(key: str, language: str, **values: str) -> str:
    template: str = section("sentences", language)[key]
    return template.format_map(Values(values))


def remedies(run: RunSnapshot, language: str) -> tuple[str, ...]:
    """What to do about the verdict, most useful first, early stopping before all."""
    verdict = run.diagnosis.verdict
    over = run.state.is_over
    advice = advise(verdict, language, over).remedies
    places = CHECKPOINT_REMEDIES | (CHECKPOINTS_OF_THE_OVER if over else {})
    if (place := places.get((verdict.code, verdict.variant))) is not None:
        sentence = checkpoint_sentence(run, language)
        if sentence and place < len(advice):
            advice = (sentence, *advice[:place], *advice[place + 1 :])
    stop = stop_sentence(run, language)
    return (stop, *advice) if stop else advice


CHECKPOINT_REMEDIES = {
    ("overfitting", ""): 0,
    ("overfitting", "suspected"): 0,
    ("overfitting", "alone"): 0,
    ("diverging", ""): 0,
    ("diverging", "evals"): 0,
    ("diverging", "rising"): 0,
    ("non_finite", ""): 0,
    ("non_finite", "masked"): 0,
    ("converged", ""): 0,
}
"""Place of the remedy that names a checkpoint, by verdict and variant: of a run whose directory is
known, one that exists is named instead."""

CHECKPOINTS_OF_THE_OVER = {
    ("healthy", ""): 0,
    ("healthy", "eval_only"): 0,
    ("diverging", "recovering"): 0,
}
"""The same of runs that are over."""


def checkpoint_sentence(run: RunSnapshot, language: str) -> str:
    """The checkpoint to go back to, or that none was kept; empty where the steps are not known."""
    facts = run.diagnosis.verdict.facts
    best = run.best.step if run.best else None
    step = facts.get("best_step", facts.get("step", best))
    lead = run.eval_loss or run.train_loss
    if not isinstance(step, int) or step <= 0 or lead is None:
        return ""
    if lead.axis is Axis.EPOCH and not run.checkpoints:
        return _sentence("kept_no_epoch", language, epoch=f"{step:,}")
    if lead.axis is not Axis.STEP:
        # Checkpoints are named by steps, which others cannot be compared with.
        return ""
    earlier = [(at, name) for at, name in run.checkpoints if at <= step]
    if not earlier:
        every = f"{_save_steps(step):,}"
        return _sentence("kept_none", language, step=f"{step:,}", every=every)
    at, name = max(earlier)
    key = "take_checkpoint" if at < step else "take_checkpoint_at"
    return _sentence(key, language, name=name, step=f"{step:,}", count=f"{step - at:,}")


def _save_steps(step: int) -> int:
    """A round number of steps, at most a quarter of those up to a step."""
    most = max(step // 4, 1)
    power: int = 10 ** (len(str(most)) - 1)
    return max(factor * power for factor in (1, 2, 5) if factor * power <= most)


def also_sentences(diagnosis: Diagnosis, language: str) -> list[str]:
    """What else was found beside the verdict, and its evidence."""
    others = [
        advise(finding, language)
        for finding in diagnosis.findings
        # Beside a warning, praise for the rest of the run would only contradict it; that the loss
        # of a policy says little stands among what is missing.
        if finding.code not in (diagnosis.verdict.code, "not_judged")
        and finding.severity is not Severity.OK
    ]
    return [
        _sentence("also", language, badge=other.badge, evidence=other.evidence) for other in others
    ]


def stop_sentence(run: RunSnapshot, language: str) -> str:
    """What early stopping saves, or why not to stop yet; empty where neither applies."""
    found = early_stop(run)
    if found is None:
        return ""
    if isinstance(found, WaitReason):
        key = f"wait_{found.what}"
        name = metric_name(found.name, language)
        return _sentence(key, language, name=name, value=_level(found.value))
    amount = _amount(found, language)
    if found.seen is None:
        return _sentence("stop", language, amount=amount)
    return _sentence("stop_missed", language, step=f"{found.seen:,}", amount=amount)


def _amount(saving: EarlyStopSaving, language: str) -> str:
    unit = "epochs" if saving.axis is Axis.EPOCH else "steps"
    amount = _sentence(unit, language, count=f"{_three_digits(saving.steps):,}")
    if saving.seconds is None or not math.isfinite(saving.seconds):
        return amount
    time = duration(saving.seconds, language)
    return _sentence("amount_and_time", language, amount=amount, time=time)


def _three_digits(count: int) -> int:
    """Rounded down, so that a live number does not change at every step."""
    factor: int = 10 ** max(0 if count < 100 else 1, len(str(count)) - 3)
    return count // factor * factor


def duration(seconds: float, language: str) -> str:
    """A time span in at most two units: `45 s`, `14 m`, `2 h 10 m`, `3 d 4 h`."""
    whole = max(1, round(seconds))
    counts = {
        "days": whole // 86400,
        "hours": whole // 3600 % 24,
        "minutes": whole // 60 % 60,
        "seconds": whole % 60,
    }
    units = list(counts)
    first = next(at for at, unit in enumerate(units) if counts[unit])
    # Below an hour seconds would only flicker.
    shown = units[first : first + 2] if first < 2 else units[first : first + 1]
    return " ".join(
        _sentence(unit, language, count=str(counts[unit])) for unit in shown if counts[unit]
    )


def best_checkpoint(run: RunSnapshot, language: str) -> str:
    """Name of the checkpoint to take and where it is; empty where none is on disk."""
    found = nearest_checkpoint(run)
    if found is None:
        return ""
    key = "checkpoint_before_best" if found.before else "checkpoint_at_best"
    return _sentence(key, language, name=found.name, count=f"{found.before:,}")


def best_sentence(run: RunSnapshot, language: str) -> str:
    """The best eval and its checkpoint; empty where there was no eval.

    That there is none is left out where the remedies say it already.
    """
    best = run.best
    if best is None:
        return ""
    loss, step = f"{best.eval_loss:.4g}", f"{best.step:,}"
    where = best_checkpoint(run, language)
    if not where and checkpoint_sentence(run, language) in remedies(run, language):
        return _sentence("best_alone", language, loss=loss, step=step)
    where = where or _sentence("no_checkpoint", language)
    return _sentence("best", language, loss=loss, step=step, where=where)


def forecast_sentence(forecast: Forecast | None, language: str) -> str:
    """The expected final train loss; empty where it cannot be forecast."""
    if forecast is None:
        return ""
    text = _sentence(
        "forecast",
        language,
        final=_level(forecast.final_loss),
        low=_level(forecast.low),
        high=_level(forecast.high),
    )
    if forecast.flat_step is None:
        return text
    return _sentence("forecast_flat", language, forecast=text, step=_short(forecast.flat_step))


def metric_sentences(run: RunSnapshot, language: str) -> list[str]:
    """Where each task metric stands, and whether it agrees with the loss."""
    return [_metric_sentence(metric, language) for metric in standings(run)]


def _metric_sentence(metric: MetricStanding, language: str) -> str:
    series = metric.series
    text = _sentence(
        "metric_at_best" if metric.step == series.last_step else "metric_past_best",
        language,
        name=metric_name(series.meaning.label, language),
        value=_level(series.last),
        best=_level(metric.best),
        step=_short(metric.step),
    )
    if metric.agrees is None:
        return text
    key = "metric_agrees" if metric.agrees else "metric_disagrees"
    return _sentence(key, language, metric=text)


def _level(value: float) -> str:
    """Three digits that matter, plain decimals where they are short."""
    return f"{value:.3g}" if abs(value) < 1000 or not math.isfinite(value) else f"{value:,.0f}"


def _short(step: int) -> str:
    """A step: `760`, `12.4k`."""
    if step < 10_000:
        return f"{step:,}"
    return f"{step / 1e6:.3g}M" if step >= 999_500 else f"{step / 1e3:.3g}k"


@dataclass(frozen=True, slots=True)
class CheckpointChoice:
    """A checkpoint on disk.

    Attributes:
        name: Its name.
        before: Steps by which it is older than the best eval, 0 where it is that eval's own.
    """

    name: str
    before: int


def nearest_checkpoint(run: RunSnapshot) -> CheckpointChoice | None:
    """The checkpoint on disk at or nearest before the best eval; None where there is none."""
    best, evals = run.best, run.eval_loss
    if best is None:
        return None
    if best.checkpoint is not None:
        own = [step for step, name in run.checkpoints if name == best.checkpoint]
        return CheckpointChoice(best.checkpoint, max(0, best.step - own[-1]) if own else 0)
    if evals is None or evals.axis is not Axis.STEP:
        # Checkpoints are named by steps, which epochs cannot be compared with.
        return None
    earlier = [(step, name) for step, name in run.checkpoints if step <= best.step]
    if not earlier:
        return None
    step, name = max(earlier)
    return CheckpointChoice(name, best.step - step)
