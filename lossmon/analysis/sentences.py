"""The analysis of a run in sentences of the user's language."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lossmon import locale
from lossmon.analysis.best_checkpoint import weights
from lossmon.analysis.early_stopping import Prospect, Saving, early_stop
from lossmon.analysis.task_metrics import Standing, standings
from lossmon.diagnosis.advice import advise
from lossmon.types import Axis, Diagnosis, Forecast, RunSnapshot, Severity


def _templates(language: str) -> Mapping[str, str]:
    return locale.section("sentences", language)


def remedies(run: RunSnapshot, language: str) -> tuple[str, ...]:
    """What to do about the verdict, most useful first, early stopping before all."""
    advice = advise(run.diagnosis.verdict, language).remedies
    stop = stop_sentence(run, language)
    return (stop, *advice) if stop else advice


def also_sentences(diagnosis: Diagnosis, language: str) -> list[str]:
    """What else was found beside the verdict, and its evidence."""
    told = [
        advise(finding, language)
        for finding in diagnosis.findings
        # Beside a warning, praise for the rest of the run would only contradict it.
        if finding.code != diagnosis.verdict.code and finding.severity is not Severity.OK
    ]
    return [f"{also.word}: {also.evidence}" for also in told]


def stop_sentence(run: RunSnapshot, language: str) -> str:
    """What stopping early saves, or why not to stop yet; empty where neither is to be said."""
    templates, found = _templates(language), early_stop(run)
    if found is None:
        return ""
    if isinstance(found, Prospect):
        return templates[found.hope].format(name=found.name, value=_level(found.value))
    amount = _amount(found, templates)
    if found.seen is not None:
        return templates["missed"].format(seen=f"{found.seen:,}", amount=amount)
    return templates["stop"].format(amount=amount)


def _amount(saving: Saving, templates: Mapping[str, str]) -> str:
    unit = "epoch" if saving.axis is Axis.EPOCH else "step"
    if saving.steps != 1:
        unit += "s"
    text = f"{_three_digits(saving.steps):,} {templates[unit]}"
    if saving.seconds is not None and math.isfinite(saving.seconds):
        text += f" ({_duration(saving.seconds, templates)})"
    return text


def _three_digits(count: int) -> int:
    """Rounded down, so that a live number does not change at every step."""
    factor: int = 10 ** max(0 if count < 100 else 1, len(str(count)) - 3)
    return count // factor * factor


def duration(seconds: float, language: str) -> str:
    """A time span in at most two units: `45 s`, `14 m`, `2 h 10 m`, `3 d 4 h`."""
    return _duration(seconds, _templates(language))


def _duration(seconds: float, templates: Mapping[str, str]) -> str:
    whole = max(1, round(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    day, hour, minute, second = templates["times"].split()
    if days:
        return f"{days} {day}" + (f" {hours} {hour}" if hours else "")
    if hours:
        return f"{hours} {hour}" + (f" {minutes} {minute}" if minutes else "")
    return f"{minutes} {minute}" if minutes else f"{whole} {second}"


def best_checkpoint(run: RunSnapshot, language: str) -> str:
    """Name of the weights to take and where they are; empty where there are none on disk."""
    templates, found = _templates(language), weights(run)
    if found is None:
        return ""
    key = "before" if found.before else "own"
    return templates[key].format(name=found.name, before=f"{found.before:,}")


def best_sentence(run: RunSnapshot, language: str) -> str:
    """The best eval and its weights; empty where there was no eval."""
    templates, best = _templates(language), run.best
    if best is None:
        return ""
    where = best_checkpoint(run, language) or templates["nowhere"]
    return templates["best"].format(
        loss=f"{best.eval_loss:.4g}", step=f"{best.step:,}", where=where
    )


def forecast_sentence(forecast: Forecast | None, language: str) -> str:
    """Where the train loss will end; empty where that cannot be told."""
    if forecast is None:
        return ""
    templates = _templates(language)
    levels = {
        "final": _level(forecast.final_loss),
        "low": _level(forecast.low),
        "high": _level(forecast.high),
    }
    text = templates["forecast"].format(**levels)
    if forecast.flat_step is not None:
        text += templates["flat"].format(step=_short(forecast.flat_step))
    return text


def metric_sentences(run: RunSnapshot, language: str) -> list[str]:
    """Where each task metric stands, and whether it agrees with the loss."""
    return [_standing(one, _templates(language)) for one in standings(run)]


def _standing(one: Standing, templates: Mapping[str, str]) -> str:
    key = "now" if one.step == one.series.last_step else "then"
    text = templates[key].format(
        name=one.series.meaning.label,
        value=_level(one.series.last),
        best=_level(one.best),
        step=_short(one.step),
    )
    if one.agrees is None:
        return text
    return text + templates["agree" if one.agrees else "disagree"]


def _level(value: float) -> str:
    """Three digits that matter, plain decimals where they are short."""
    return f"{value:.3g}" if abs(value) < 1000 or not math.isfinite(value) else f"{value:,.0f}"


def _short(step: int) -> str:
    """A step: `760`, `12.4k`."""
    if step < 10_000:
        return f"{step:,}"
    return f"{step / 1e6:.3g}M" if step >= 999_500 else f"{step / 1e3:.3g}k"
