"""Report of a run as plain text, for terminals, mail and pagers."""

from __future__ import annotations

import textwrap
import time

from lossmon.analysis.cluster_sentences import job_sentence, limit_sentence, node_sentences
from lossmon.analysis.sentences import (
    also_sentences,
    best_sentence,
    forecast_sentence,
    metric_sentences,
    remedies,
)
from lossmon.diagnosis.advice import advise, explain_missing
from lossmon.sanitize import cells
from lossmon.types import RunSnapshot, Series

WIDTH = 100
"""Columns of the text, which fits a terminal and a mail."""


def plain(run: RunSnapshot, language: str, *, history: bool, now: float | None = None) -> str:
    """Describe a run in a few lines.

    Args:
        run: The run.
        language: `en` or `zh`.
        history: Add every verdict, in the order in which they were shown.
        now: Seconds since the Unix epoch, for what is compared with the clock.
    """
    verdict = run.diagnosis.verdict
    words = advise(verdict, language)
    lines = [
        _head(run),
        f"  {words.badge}   {verdict.severity.word}, since step {verdict.since_step:,}, "
        f"{verdict.confidence} confidence",
        *_wrapped(words.evidence),
        *_wrapped(words.meaning),
    ]
    for place, remedy in enumerate(remedies(run, language), start=1):
        lines += _wrapped(remedy, f"{place}. ")
    for sentence in also_sentences(run.diagnosis, language):
        lines += _wrapped(sentence, "also: ")
    lines += [line for line in (_losses(run), _best(run, language)) if line]
    lines += _wrapped(forecast_sentence(run.diagnosis.forecast, language), "forecast: ")
    for sentence in metric_sentences(run, language):
        lines += _wrapped(sentence, "metric: ")
    for code in run.diagnosis.missing:
        lines += _wrapped(explain_missing(code, language), "missing: ")
    lines += _cluster(run, time.time() if now is None else now, language)
    if history:
        lines += ["  history"]
        lines += [
            f"    step {turn.step:>9,}  {turn.code} ({turn.severity.word})"
            for turn in run.diagnosis.history
        ]
    lines += [f"  note: {note}" for note in run.notes]
    lines += [f"  error: {error}" for error in run.errors]
    return "\n".join(map(cells, lines))


def _head(run: RunSnapshot) -> str:
    step = "no step yet" if run.step is None else f"step {run.step:,}"
    if run.step is not None and run.total_steps:
        step += f" of {run.total_steps:,}"
    parts = [run.name, run.state.value, step]
    if run.epoch is not None:
        parts.append(f"epoch {run.epoch:.4g}")
    parts.append(", ".join(run.sources))
    return "   ".join(part for part in parts if part)


def _losses(run: RunSnapshot) -> str:
    losses = [
        f"{word} {series.last:.4g}, min {series.minimum:.4g} at {series.min_step:,}"
        for word, series in (("train", run.train_loss), ("eval", run.eval_loss))
        if isinstance(series, Series)
    ]
    return f"  loss: {'; '.join(losses)}" if losses else ""


def _best(run: RunSnapshot, language: str) -> str:
    sentence = best_sentence(run, language)
    return f"  {sentence}" if sentence else ""


def _cluster(run: RunSnapshot, now: float, language: str) -> list[str]:
    """The job and what is wrong with the nodes."""
    job = (job_sentence(run, language), limit_sentence(run, now, language))
    lines = _wrapped("; ".join(part for part in job if part), "job: ")
    for sentence in node_sentences(run.nodes, now, language):
        lines += _wrapped(sentence, "node: ")
    return lines


def _wrapped(text: str, bullet: str = "") -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {bullet}", subsequent_indent=" " * (2 + len(bullet))
    )
