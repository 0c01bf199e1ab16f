"""The analysis of a run in sentences, in English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lossmon.analysis.best_checkpoint import weights
from lossmon.analysis.early_stopping import Prospect, Saving, early_stop
from lossmon.analysis.task_metrics import Standing, standings
from lossmon.diagnosis.advice import advise
from lossmon.types import Axis, Diagnosis, Forecast, RunSnapshot, Severity

_ENGLISH: Mapping[str, str] = {
    "step": "steps",
    "epoch": "epochs",
    "other": "steps",
    "stop": "Stop: saves {amount}.",
    "missed": "Stopping at step {seen}, when this showed, would have saved {amount}.",
    "metric": "Do not stop yet: {name} still improves, {value} now.",
    "eval": "Do not stop yet: the eval loss is coming back.",
    "rate": "Do not stop yet: the learning rate still decays, which often brings the last fall.",
    "train": "Do not stop yet: the train loss is still expected to fall to {value}.",
    "own": "{name} on disk",
    "before": "{name}, {before} steps before the best",
    "best": "best: eval {loss} at step {step}, {where}",
    "nowhere": "no checkpoint on disk at or before it",
    "forecast": "expected final loss {final} ({low}–{high})",
    "flat": "; flattens near step {step}",
    "now": "{name} {value}, its best so far",
    "then": "{name} {value}, best {best} @{step}",
    "agree": ": loss and metric agree",
    "disagree": ": loss and metric disagree",
    "times": "d h m s",
}

_CHINESE: Mapping[str, str] = {
    "step": "步",
    "epoch": "轮",
    "other": "步",
    "stop": "停止训练：可省 {amount}。",
    "missed": "若在步 {seen} 显示该判定时停止，可省 {amount}。",
    "metric": "先不要停：{name} 仍在变好，当前 {value}。",
    "eval": "先不要停：验证损失正在回落。",
    "rate": "先不要停：学习率仍在衰减，最后一段下降往往来自这里。",
    "train": "先不要停：预计训练损失还会降到 {value}。",
    "own": "{name} 在磁盘上",
    "before": "{name}，比最佳早 {before} 步",
    "best": "最佳：验证损失 {loss}，步 {step}，{where}",
    "nowhere": "此步及之前没有检查点在磁盘上",
    "forecast": "预计最终损失 {final}（{low}–{high}）",
    "flat": "；约在步 {step} 变平",
    "now": "{name} {value}，为目前最好",
    "then": "{name} {value}，最好 {best} @{step}",
    "agree": "：损失与指标一致",
    "disagree": "：损失与指标不一致",
    "times": "天 时 分 秒",
}


def _words(language: str) -> Mapping[str, str]:
    return _CHINESE if language == "zh" else _ENGLISH


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
    words, found = _words(language), early_stop(run)
    if found is None:
        return ""
    if isinstance(found, Prospect):
        return words[found.hope].format(name=found.name, value=_level(found.value))
    amount = _amount(found, words)
    if found.seen is not None:
        return words["missed"].format(seen=f"{found.seen:,}", amount=amount)
    return words["stop"].format(amount=amount)


def _amount(saving: Saving, words: Mapping[str, str]) -> str:
    unit = saving.axis.value if saving.axis in (Axis.STEP, Axis.EPOCH) else "other"
    text = f"{_three_digits(saving.steps):,} {words[unit]}"
    if saving.steps == 1 and words is _ENGLISH:
        text = text.removesuffix("s")
    if saving.seconds is not None and math.isfinite(saving.seconds):
        text += f" ({_duration(saving.seconds, words['times'].split())})"
    return text


def _three_digits(count: int) -> int:
    """Rounded down, so that a live number does not change at every step."""
    factor: int = 10 ** max(0 if count < 100 else 1, len(str(count)) - 3)
    return count // factor * factor


def _duration(seconds: float, units: list[str]) -> str:
    """At most two units: `45 s`, `14 m`, `2 h 10 m`, `3 d 4 h`."""
    whole = max(1, round(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    day, hour, minute, second = units
    if days:
        return f"{days} {day}" + (f" {hours} {hour}" if hours else "")
    if hours:
        return f"{hours} {hour}" + (f" {minutes} {minute}" if minutes else "")
    return f"{minutes} {minute}" if minutes else f"{whole} {second}"


def best_checkpoint(run: RunSnapshot, language: str) -> str:
    """Name of the weights to take and where they are; empty where there are none on disk."""
    words, found = _words(language), weights(run)
    if found is None:
        return ""
    key = "before" if found.before else "own"
    return words[key].format(name=found.name, before=f"{found.before:,}")


def best_sentence(run: RunSnapshot, language: str) -> str:
    """The best eval and its weights; empty where there was no eval."""
    words, best = _words(language), run.best
    if best is None:
        return ""
    where = best_checkpoint(run, language) or words["nowhere"]
    return words["best"].format(loss=f"{best.eval_loss:.4g}", step=f"{best.step:,}", where=where)


def forecast_sentence(forecast: Forecast | None, language: str) -> str:
    """Where the train loss will end; empty where that cannot be told."""
    if forecast is None:
        return ""
    words = _words(language)
    levels = {
        "final": _level(forecast.final_loss),
        "low": _level(forecast.low),
        "high": _level(forecast.high),
    }
    text = words["forecast"].format(**levels)
    if forecast.flat_step is not None:
        text += words["flat"].format(step=_short(forecast.flat_step))
    return text


def metric_sentences(run: RunSnapshot, language: str) -> list[str]:
    """Where each task metric stands, and whether it agrees with the loss."""
    return [_standing(one, _words(language)) for one in standings(run)]


def _standing(one: Standing, words: Mapping[str, str]) -> str:
    key = "now" if one.step == one.series.last_step else "then"
    text = words[key].format(
        name=one.series.meaning.label,
        value=_level(one.series.last),
        best=_level(one.best),
        step=_short(one.step),
    )
    if one.agrees is None:
        return text
    return text + words["agree" if one.agrees else "disagree"]


def _level(value: float) -> str:
    """Three digits that matter, plain decimals where they are short."""
    return f"{value:.3g}" if abs(value) < 1000 or not math.isfinite(value) else f"{value:,.0f}"


def _short(step: int) -> str:
    """A step: `760`, `12.4k`."""
    if step < 10_000:
        return f"{step:,}"
    return f"{step / 1e6:.3g}M" if step >= 999_500 else f"{step / 1e3:.3g}k"
