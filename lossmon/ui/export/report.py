"""A run as one page of HTML: no script, nothing fetched, readable in a mail."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from lossmon.analysis.sentences import (
    also_sentences,
    best_sentence,
    forecast_sentence,
    metric_sentences,
    remedies,
)
from lossmon.config import Config
from lossmon.diagnosis.advice import advise, badge_of, explain_missing
from lossmon.errors import ConfigError
from lossmon.locale import message, metric_name, phrase, translate
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.reports.export.files import Work, file_name, fresh, unique
from lossmon.reports.export.points import write_points
from lossmon.types import RunSnapshot, Series
from lossmon.ui.chart.model import ChartOptions, ChartSettings, XAxis, chart_settings_of
from lossmon.ui.chart.positions import has_axis
from lossmon.ui.chart.run_model import model_of
from lossmon.ui.export.drawing import draw, spark
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import clean

STYLE = """
:root { color-scheme: light dark; --ground: #fbfaf7; --text: #22292f; --muted: #5d6770;
  --rule: #d9dcdb; --train: #1565b8; --eval: #a84c05; --ok: #22703c; --notice: #0b6b77;
  --warning: #8a6100; --critical: #bb1f22; --on-badge: #fff; }
@media (prefers-color-scheme: dark) { :root { --ground: #10151b; --text: #d3dae2;
  --muted: #8a97a5; --rule: #313c47; --train: #58b0f5; --eval: #f49d5c; --ok: #6fc287;
  --notice: #7fd0d8; --warning: #efc342; --critical: #ff6e67; --on-badge: #10151b; } }
body { background: var(--ground); color: var(--text); max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
.sub, .axis, footer, dt, th { color: var(--muted); } .sub { margin: .2rem 0 1.2rem; }
.badge { display: inline-block; padding: .1rem .6rem; font-weight: 600; }
.badge.warning, .badge.critical { color: var(--on-badge); }
.badge.warning { background: var(--warning); } .badge.critical { background: var(--critical); }
.ok { color: var(--ok); } .notice { color: var(--notice); }
table { border-collapse: collapse; width: 100%; } table.short { width: auto; }
th { text-align: left; font-weight: 400; white-space: nowrap; }
td, th { vertical-align: top; padding: .15rem .8rem .15rem 0;
  border-bottom: 1px solid var(--rule); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; } svg.spark { width: 160px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--muted); }
.grid { stroke: var(--rule); } .line, .spark polyline { fill: none; stroke-width: 1.6;
  stroke-linejoin: round; } .raw { stroke-width: 1; opacity: .35; }
path.raw.few { stroke-width: 3; stroke-linecap: round; }
.spark polyline { stroke: var(--muted); stroke-width: 1; }
path.train { stroke: var(--train); } path.eval { stroke: var(--eval); }
circle.train { fill: var(--train); } circle.eval { fill: var(--eval); }
path.other { stroke: var(--muted); } circle.other { fill: var(--muted); }
.turn { stroke: var(--muted); stroke-dasharray: 2 3; } .turn.ok { stroke: var(--ok); }
.turn.warning { stroke: var(--warning); } .turn.critical { stroke: var(--critical); }
.turn.notice { stroke: var(--notice); } .restart { stroke: var(--muted); stroke-dasharray: 6 4; }
.checkpoint { stroke: var(--muted); stroke-width: 2; } svg text.mark { fill: var(--text); }
svg text.critical { fill: var(--critical); } .key-train { color: var(--train); }
.key-eval { color: var(--eval); } pre { overflow: auto; color: var(--muted); font-size: 12px; }
footer { margin-top: 3rem; font-size: 13px; }
"""

LOG_LINES = 40
"""Newest lines of the log that are on the page."""

MOST_SETTINGS = 400
"""Hyperparameters that are listed; a dumped model configuration has thousands."""


def page(run: RunSnapshot, chart_settings: ChartSettings, language: str, now: float) -> str:
    """The whole page.

    Args:
        chart_settings: How the charts are looked at.
        language: `en` or `zh`.
        now: Seconds since the Unix epoch, for the footer.
    """
    say = _Words(language)
    parts = [
        *_head(run, say),
        *_diagnosis(run, say),
        *_losses(run, chart_settings, say),
        *_metrics(run, say),
        *_history(run, say),
        *_settings(run, say),
        *_log(run, say),
    ]
    written = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(now))
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{escape(language)}">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            # Whatever a log smuggles in, a browser runs nothing of it and fetches nothing.
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{_text(run.name)} · lossmon</title>",
            f"<style>{STYLE}</style>",
            *parts,
            f"<footer>lossmon · {_text(written)}</footer>",
            "</html>",
            "",
        ]
    )


class _Words:
    """The page's language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, text: str) -> str:
        return escape(translate(text, self.language))


def _text(text: str) -> str:
    """Text from outside: what would be markup is not, what reorders or hides is replaced."""
    return escape(clean(text))


def _head(run: RunSnapshot, say: _Words) -> Iterable[str]:
    facts = [say(run.state.value)]
    if run.step is not None:
        text = "step {step} of {total}" if run.total_steps else "step {step}"
        steps = {"step": f"{run.step:,}", "total": f"{run.total_steps or 0:,}"}
        facts.append(phrase(text, say.language, **steps))
    if run.epoch is not None:
        facts.append(phrase("epoch {epoch}", say.language, epoch=f"{run.epoch:.3g}"))
    facts.append(_text(" + ".join(run.sources)))
    yield f"<h1>{_text(run.name)}</h1>"
    yield f'<p class="sub">{" · ".join(fact for fact in facts if fact)}<br>{_text(str(run.path))}'


def _diagnosis(run: RunSnapshot, say: _Words) -> Iterable[str]:
    verdict, language = run.diagnosis.verdict, say.language
    words = advise(verdict, language)
    yield f'<p><span class="badge {verdict.severity.word}">{_text(words.badge)}</span> '
    severity = translate(verdict.severity.word, language)
    confidence = translate(verdict.confidence, language)
    certainty = "{severity}, {confidence} confidence"
    yield escape(phrase(certainty, language, severity=severity, confidence=confidence))
    rows = [
        (say("Why"), [words.evidence]),
        (say("Metric"), metric_sentences(run, language)),
        (say("Meaning"), [words.meaning]),
        (say("Next"), [*_numbered(remedies(run, language)), best_sentence(run, language)]),
        (say("Could also be"), [words.could_also_be]),
        (say("Would change if"), [words.would_change_if]),
        (say("Also"), also_sentences(run.diagnosis, language)),
        (say("Forecast"), [forecast_sentence(run.diagnosis.forecast, language)]),
        (say("Missing"), [explain_missing(code, language) for code in run.diagnosis.missing]),
        (say("Notes"), [message(one, language) for one in (*run.errors, *run.notes)]),
    ]
    yield "<table>"
    for title, texts in rows:
        if lines := [_text(text) for text in texts if text]:
            yield f"<tr><th>{title}<td>{'<br>'.join(lines)}"
    yield "</table>"


def _numbered(texts: Iterable[str]) -> list[str]:
    return [f"{place}. {text}" for place, text in enumerate(texts, start=1)]


def _losses(run: RunSnapshot, chart_settings: ChartSettings, say: _Words) -> Iterable[str]:
    shown = tuple(index for index in (run.train, run.eval) if index is not None)
    x = chart_settings.x
    options = ChartOptions(
        smoothing=chart_settings.smoothing,
        log_y=chart_settings.log,
        hide_outliers=chart_settings.robust,
        x_axis=x if not shown or has_axis(run, run.series[shown[0]], x) else XAxis.STEP,
        recent=chart_settings.recent,
    )
    drawn = draw(
        model_of(run, chart_settings, shown), options, translate("Train loss", say.language)
    )
    if not drawn:
        return
    keys = [
        f'<span class="key-{role}">● {say(role)} {numbers.value(series.last)}</span>'
        for role, series in (("train", run.train_loss), ("eval", run.eval_loss))
        if series is not None
    ]
    yield f"<h2>{' &nbsp; '.join(keys)}</h2>"
    yield drawn


def _metrics(run: RunSnapshot, say: _Words) -> Iterable[str]:
    if not run.series:
        return
    yield f"<h2>{say('metrics')}</h2>"
    yield "<table><tr><th><th>"
    for title in ("last", "min", "max"):
        yield f'<th class="number">{say(title)}'
    yield f'<th class="number">{say("points")}'
    for series in run.series:
        yield _row(series, say.language)
    yield "</table>"


def _row(series: Series, language: str) -> str:
    cells: Sequence[str] = (
        numbers.value(series.last),
        f"{numbers.value(series.minimum)} @{numbers.si(series.min_step)}",
        f"{numbers.value(series.maximum)} @{numbers.si(series.max_step)}",
        f"{series.n:,}",
    )
    columns = "".join(f'<td class="number">{escape(cell)}' for cell in cells)
    name = metric_name(series.meaning.label, language)
    return f"<tr><td>{_text(name)}<td>{spark(series.values)}{columns}"


def _history(run: RunSnapshot, say: _Words) -> Iterable[str]:
    turns = run.diagnosis.history
    if not turns:
        return
    yield f"<h2>{say('History')}</h2><table class='short'>"
    for turn in turns:
        word = escape(badge_of(turn.code, turn.variant, say.language))
        yield f'<tr><td class="number">{turn.step:,}<td class="{turn.severity.word}">{word}'
    yield "</table>"


def _settings(run: RunSnapshot, say: _Words) -> Iterable[str]:
    if not run.settings:
        return
    yield f"<h2>{say('settings')}</h2><table>"
    for name, value in sorted(run.settings.items())[:MOST_SETTINGS]:
        yield f"<tr><th>{_text(name)}<td>{_text(value)}"
    yield "</table>"


def _log(run: RunSnapshot, say: _Words) -> Iterable[str]:
    if not run.log:
        return
    yield f"<h2>{say('log')} <span class='sub'>{_text(run.log_name)}</span></h2>"
    lines = "\n".join(_text(line) for line in run.log[-LOG_LINES:])
    yield f"<pre>{lines}</pre>"


def report(paths: Sequence[Path], config: Config, directory: Path, csv: bool) -> list[Path]:
    """Write a page, and the points if wanted, for every run under the paths.

    Args:
        paths: What to read; each is one run unless it holds several.
        directory: Where the files go; made if it is not there.

    Returns:
        The files, in the order written.

    Raises:
        ConfigError: The directory cannot be written.
    """
    settings = MonitorConfig(config.metrics, config.patterns, config.sensitivity)
    runs = [run for path in paths for run in Monitor([path], settings).drain().runs if run.series]
    now, chart_settings = time.time(), chart_settings_of(config)
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        names = unique(file_name(run.name, now) for run in runs)
        for run, name in zip(runs, names, strict=True):
            path = directory / f"{name}.html"
            with fresh(path) as out:
                out.write(page(run, chart_settings, config.lang, now))
            written.append(path)
            if csv:
                path = directory / f"{name}.csv"
                with fresh(path) as out:
                    write_points(out, run.series, Work())
                written.append(path)
    except OSError as error:
        raise ConfigError(f"{error.filename or directory}: {error.strerror or error}") from error
    return written
