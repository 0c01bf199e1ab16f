"""`lossmon check`: the verdict of the screen without a screen, and its output formats."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from lossmon.analysis.sentences import remedies
from lossmon.config import Config
from lossmon.diagnosis.advice import advise
from lossmon.errors import internal_error
from lossmon.locale import message, phrase, translate
from lossmon.monitor import UNLIMITED, Monitor, MonitorConfig, RunSource
from lossmon.sanitize import cells, json_text
from lossmon.types import RunSnapshot, Severity, Snapshot

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


MOST_NOTES = 10
"""Sentences on files that were found and not read, at most."""


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


def check(
    places: Sequence[Path | RunSource], config: Config, out: TextIO, format_: str, style: Style
) -> list[RunSnapshot]:
    """Judge every run of some places and print it.

    Args:
        places: Paths and sources to judge; each path is one run unless it holds several.
        format_: Name of a row of `FORMATS`.

    Returns:
        The runs that hold metrics, in the order printed.
    """
    return write(judged(places, config, whole=style.points), FORMATS[format_], style, out)


def judged(
    places: Sequence[Path | RunSource], config: Config, *, whole: bool = False
) -> Iterator[RunSnapshot]:
    """Judge every run of some places; what could not be read goes to the error output."""
    for place in places:
        if isinstance(place, Path):
            (monitor,) = monitors([place], config, whole=whole)
            progress = ReadingProgress(sys.stderr, config.lang)
            yield from with_metrics(progress.last(monitor.polls()))
        else:
            yield from with_metrics(place.drain())
            place.stop()


def monitors(paths: Sequence[Path], config: Config, *, whole: bool = False) -> Iterator[Monitor]:
    """A monitor per path: each path is judged for itself, even where it is inside another one."""
    settings = monitor_config(config)
    if whole:
        settings = replace(settings, memory_budget=UNLIMITED)
    for path in paths:
        yield Monitor([path], settings)


def with_metrics(snapshot: Snapshot) -> list[RunSnapshot]:
    """The runs that hold metrics; what else was found and not read goes to the error output."""
    runs = [run for run in snapshot.runs if run.series]
    unread = [error for run in snapshot.runs if not run.series for error in run.errors]
    notes = list(dict.fromkeys((*snapshot.notes, *unread)))
    for note in notes[:MOST_NOTES]:
        warn(note)
    if len(notes) > MOST_NOTES:
        warn(f"and {len(notes) - MOST_NOTES} more that are not read")
    return runs


def write(
    runs: Iterable[RunSnapshot], format_: CheckFormat, style: Style, out: TextIO
) -> list[RunSnapshot]:
    """Print runs, each as soon as it is there where the format allows that.

    Returns:
        The runs that were printed: one that cannot be described is left out, with a message.
    """
    written: list[RunSnapshot] = []
    for run in runs:
        try:
            text = format_.write([run], style)
        except Exception as error:
            warn(f"{run.path}: {internal_error(error)}; the run is left out")
            continue
        if not format_.whole:
            print("\n" + text if written and format_.gap else text, file=out, flush=True)
        written.append(run)
    if written and format_.whole:
        print(format_.write(written, style), file=out, flush=True)
    return written


def warn(text: str) -> None:
    """Print a line to the error output; text from outside is made printable."""
    print(f"lossmon: {cells(message(text))}", file=sys.stderr)


def monitor_config(config: Config) -> MonitorConfig:
    """The part of the settings that the monitor takes."""
    return MonitorConfig.of(config)


def have_ended(runs: Sequence[RunSnapshot]) -> bool:
    """Whether there are runs, and none goes on."""
    return bool(runs) and all(run.state.is_over for run in runs)


def fails(runs: Sequence[RunSnapshot], threshold: str) -> bool:
    """Whether any finding of any run is at or above a severity, given by its word."""
    limit = Severity[threshold.upper()]
    return any(
        finding.severity >= limit
        for run in runs
        for finding in (run.diagnosis.verdict, *run.diagnosis.findings)
    )


DELAY = 1.0
"""Seconds before the line appears: most commands are done by then."""

INTERVAL = 0.2
"""Seconds between two lines."""


class ReadingProgress:
    """The line, redrawn in place; nothing is written where the output is not a terminal.

    Args:
        out: Where to write, usually the error output.
        clock: Monotonic seconds.
    """

    def __init__(
        self, out: TextIO, language: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._language = language
        self._clock = clock
        self._next = clock() + DELAY if out.isatty() else float("inf")
        self._width = 0

    def last(self, snapshots: Iterable[Snapshot]) -> Snapshot:
        """The last of some snapshots; the line shows each of them and is gone in the end."""
        last = Snapshot()
        try:
            for last in snapshots:
                if self._clock() >= self._next:
                    self._next = self._clock() + INTERVAL
                    self._draw(progress_text(last, self._language))
        finally:
            self._clear()
        return last

    def _draw(self, text: str) -> None:
        # Wide characters take two cells: twice as many spaces as characters cover them.
        self._out.write(f"\r{text}{' ' * (self._width - len(text))}")
        self._out.flush()
        self._width = max(self._width, 2 * len(text))

    def _clear(self) -> None:
        if self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._out.flush()
            self._width = 0


def progress_text(snapshot: Snapshot, language: str) -> str:
    """`reading 43/102`, `reading 37%` for one run, or the files seen before the first run."""
    if not snapshot.runs:
        seen = f"{snapshot.seen_files:,}"
        return phrase("searching: {count} files so far", language, count=seen)
    word = translate("reading", language)
    if snapshot.read is None:
        return f"{word} {len(snapshot.runs)}"
    if snapshot.read[1] == 1:
        return f"{word} {snapshot.runs[0].loaded:.0%}"
    return f"{word} {snapshot.read[0]}/{snapshot.read[1]}"
