"""Output formats of `lossmon check`: one row per format."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lossmon.analysis.sentences import remedies
from lossmon.diagnosis.advice import advise
from lossmon.locale import phrase, translate
from lossmon.sanitize import cells, json_text
from lossmon.types import RunSnapshot, Severity

if TYPE_CHECKING:
    from lossmon.reports.plot import PlotStyle

LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning"}
"""Workflow commands by severity; all others are notices."""


def annotation(run: RunSnapshot, language: str) -> str:
    """One workflow command: `::error title=…::…`, a step and the first remedy included."""
    verdict = run.diagnosis.verdict
    words = advise(verdict, language)
    since = phrase("since step {step}", language, step=f"{verdict.since_step:,}")
    lines = [f"{words.badge} {since}: {words.evidence}"]
    if verdict.severity >= Severity.NOTICE:
        lines += remedies(run, language)[:1]
    title = [run.name, translate(run.state.value, language)]
    if run.step is not None:
        title.append(phrase("step {step}", language, step=f"{run.step:,}"))
    level = LEVELS.get(verdict.severity, "notice")
    return f"::{level} title={_property(', '.join(title))}::{_message(lines)}"


def _message(lines: list[str]) -> str:
    return "%0A".join(cells(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return cells(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


class Style(NamedTuple):
    """How runs are written.

    Attributes:
        language: `en` or `zh`, for evidence and advice.
        history: Add the history to the text (JSON always has it).
        encoding: Character set of the output.
        plot: Size and look of the curves below the text, None for none.
        points: Add the points to the series of the JSON record.
    """

    language: str = "en"
    history: bool = False
    encoding: str = "utf-8"
    plot: PlotStyle | None = None
    points: bool = False


class CheckFormat(NamedTuple):
    """A row of the format table.

    Attributes:
        name: Value of `--format`.
        write: Returns the text for some runs, at least one.
        whole: It describes all runs together; else each run is written as soon as it is judged.
        gap: An empty line stands between two runs.
    """

    name: str
    write: Callable[[Sequence[RunSnapshot], Style], str]
    whole: bool = False
    gap: bool = False


def _text(runs: Sequence[RunSnapshot], style: Style) -> str:
    return "\n\n".join(_with_plot(run, style) for run in runs)


def _with_plot(run: RunSnapshot, style: Style) -> str:
    from lossmon.reports.plain import plain

    text = plain(run, style.language, history=style.history)
    if style.plot is None:
        return text
    from lossmon.reports.plot import plots

    return "\n".join([text, *plots(run, (), style.plot, style.language)])


def _json(runs: Sequence[RunSnapshot], style: Style) -> str:
    from lossmon.reports.record import record

    return "\n".join(
        json_line(record(run, style.language, points=style.points), style.encoding) for run in runs
    )


def _github(runs: Sequence[RunSnapshot], style: Style) -> str:
    return "\n".join(annotation(run, style.language) for run in runs)


def _openmetrics(runs: Sequence[RunSnapshot], style: Style) -> str:
    from lossmon.reports.openmetrics import render

    return render(runs)


def _tmux(runs: Sequence[RunSnapshot], style: Style) -> str:
    from lossmon.reports.status_line import status_line

    return status_line(runs, style.language)


FORMATS = {
    one.name: one
    for one in (
        CheckFormat("text", _text, gap=True),
        CheckFormat("json", _json),
        CheckFormat("github", _github),
        CheckFormat("openmetrics", _openmetrics, whole=True),
        CheckFormat("tmux", _tmux, whole=True),
    )
}
"""Every format, by name."""


def json_line(described: dict[str, Any], encoding: str = "utf-8") -> str:
    """One line of JSON in readable letters, or escaped where the output cannot take them."""
    text = json_text(json.dumps(described, ensure_ascii=False, allow_nan=False))
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        # Another character set, or a file name that is not UTF-8.
        return json.dumps(described, allow_nan=False)
    return text
