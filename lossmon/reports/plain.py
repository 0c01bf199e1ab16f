"""Report of a run as plain text, for terminals, mail and pagers."""

from __future__ import annotations

import textwrap
import time

from lossmon.analysis.sentences import (
    also_sentences,
    best_sentence,
    forecast_sentence,
    metric_sentences,
    remedies,
)
from lossmon.diagnosis.advice import advise, explain_missing
from lossmon.locale import message, phrase, translate
from lossmon.sanitize import cells
from lossmon.types import Finding, RunSnapshot

WIDTH = 100
"""Columns of the text, which fits a terminal and a mail."""


def plain(run: RunSnapshot, language: str, *, history: bool, now: float | None = None) -> str:
    """Describe a run in a few lines.

    Args:
        language: `en` or `zh`.
        history: Add every verdict, in the order in which they were shown.
        now: Seconds since the Unix epoch, for what is compared with the clock.
    """
    verdict = run.diagnosis.verdict
    words = advise(verdict, language)
    lines = [
        _head(run, language),
        f"  {words.badge}   " + _certainty(verdict, language),
        *_wrapped(words.evidence),
        *_wrapped(words.meaning),
    ]
    for place, remedy in enumerate(remedies(run, language), start=1):
        lines += _wrapped(remedy, f"{place}. ")
    for label, sentences in (
        (_ALSO, also_sentences(run.diagnosis, language)),
        (_LOSS, [_losses(run, language)]),
        ("", [best_sentence(run, language)]),
        (_FORECAST, [forecast_sentence(run.diagnosis.forecast, language)]),
        (_METRIC, metric_sentences(run, language)),
        (_MISSING, [explain_missing(code, language) for code in run.diagnosis.missing]),
        *_cluster(run, time.time() if now is None else now, language),
    ):
        for sentence in sentences:
            lines += _wrapped(sentence, translate(label, language))
    if history:
        lines += [f"  {translate(_HISTORY, language)}", *_history(run, language)]
    lines += [f"  {translate(_NOTE, language)}{message(note, language)}" for note in run.notes]
    lines += [f"  {translate(_ERROR, language)}{message(error, language)}" for error in run.errors]
    return "\n".join(map(cells, lines))


_ALSO = "also: "
_LOSS = "loss: "
_FORECAST = "forecast: "
_METRIC = "metric: "
_MISSING = "missing: "
_JOB = "job: "
_NODE = "node: "
_NOTE = "note: "
_ERROR = "error: "
_HISTORY = "history"
_SEPARATOR = "; "
_CERTAINTY = "{severity}, since step {step}, {confidence} confidence"
_STEP = "step {step}"
_STEP_OF = "step {step} of {total}"
_NO_STEP = "no step yet"
_EPOCH = "epoch {epoch}"
_LOSS_OF = "{name} {last}, min {minimum} at {step}"


def _certainty(verdict: Finding, language: str) -> str:
    return phrase(
        _CERTAINTY,
        language,
        severity=translate(verdict.severity.word, language),
        step=f"{verdict.since_step:,}",
        confidence=translate(verdict.confidence, language),
    )


def _head(run: RunSnapshot, language: str) -> str:
    total = f"{run.total_steps:,}" if run.total_steps else ""
    parts = [run.name, translate(run.state.value, language)]
    step = run.steps_done
    if step is None:
        parts.append(translate(_NO_STEP, language))
    else:
        text = _STEP_OF if total else _STEP
        parts.append(phrase(text, language, step=f"{step:,}", total=total))
    if run.epoch is not None:
        parts.append(phrase(_EPOCH, language, epoch=f"{run.epoch:.4g}"))
    return "   ".join([*parts, *filter(None, [", ".join(run.sources)])])


def _losses(run: RunSnapshot, language: str) -> str:
    return translate(_SEPARATOR, language).join(
        phrase(
            _LOSS_OF,
            language,
            name=translate(word, language),
            last=f"{series.last:.4g}",
            minimum=f"{series.minimum:.4g}",
            step=f"{series.min_step:,}",
        )
        for word, series in (("train", run.train_loss), ("eval", run.eval_loss))
        if series is not None
    )


def _history(run: RunSnapshot, language: str) -> list[str]:
    """Each verdict with its step, its code and how severe it is."""
    return [
        f"    {phrase(_STEP, language, step=f'{turn.step:>9,}')}  {turn.code} "
        f"({translate(turn.severity.word, language)})"
        for turn in run.diagnosis.history
    ]


def _cluster(run: RunSnapshot, now: float, language: str) -> list[tuple[str, list[str]]]:
    """The job and what is wrong with the nodes."""
    if run.job is None and not run.nodes:
        return []
    from lossmon.analysis.cluster_sentences import job_sentence, limit_sentence, node_sentences

    job = (job_sentence(run, language), limit_sentence(run, now, language))
    return [
        (_JOB, [translate(_SEPARATOR, language).join(filter(None, job))]),
        (_NODE, node_sentences(run.nodes, now, language)),
    ]


def _wrapped(text: str, bullet: str = "") -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {bullet}", subsequent_indent=" " * (2 + len(bullet))
    )
