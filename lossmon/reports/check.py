"""`lossmon check`: the verdict of the screen, without a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from lossmon.config import Config
from lossmon.errors import internal_error
from lossmon.monitor import UNLIMITED, Monitor, MonitorConfig, RunSource
from lossmon.reports.formats import FORMATS, CheckFormat, Style
from lossmon.reports.progress import ReadingProgress
from lossmon.sanitize import cells
from lossmon.types import RunSnapshot, Severity, Snapshot


def check(
    places: Sequence[Path | RunSource], config: Config, out: TextIO, format_: str, style: Style
) -> list[RunSnapshot]:
    """Judge every run of some places and print it.

    Args:
        places: Paths and sources to judge; each path is one run unless it holds several.
        config: Settings.
        out: Where to print.
        format_: Name of a row of `FORMATS`.
        style: How runs are written.

    Returns:
        The runs that hold metrics, in the order printed.
    """
    return write(judged(places, config, whole=style.points), FORMATS[format_], style, out)


def judged(
    places: Sequence[Path | RunSource], config: Config, *, whole: bool = False
) -> Iterator[RunSnapshot]:
    """Judge every run of some places; what could not be read goes to the error output.

    Args:
        places: Run directories, log files and sources.
        config: Settings.
        whole: Keep every point, whatever the memory.
    """
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
    """The runs that hold metrics; why others do not goes to the error output."""
    runs = [run for run in snapshot.runs if run.series]
    unread = [error for run in snapshot.runs if not run.series for error in run.errors]
    for note in dict.fromkeys((*(() if runs else snapshot.notes), *unread)):
        warn(note)
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
    print(f"lossmon: {cells(text)}", file=sys.stderr)


def monitor_config(config: Config) -> MonitorConfig:
    """The part of the settings that the monitor takes."""
    return MonitorConfig.of(config)


def fails(runs: Sequence[RunSnapshot], threshold: str) -> bool:
    """Whether any finding of any run is at or above a severity, given by its word."""
    limit = Severity[threshold.upper()]
    return any(
        finding.severity >= limit
        for run in runs
        for finding in (run.diagnosis.verdict, *run.diagnosis.findings)
    )
