"""Export of runs: one row per format, and the export of every run under some paths."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.reports.check import monitors, with_metrics
from lossmon.reports.export.files import Work, fresh, safe_name, unique
from lossmon.reports.export.points import write_points
from lossmon.reports.series_names import fitting, series_names
from lossmon.sanitize import json_text
from lossmon.types import Axis, RunSnapshot, Series


class ExportFormat(NamedTuple):
    """A row of the format table.

    Attributes:
        name: Value of `--format`.
        suffix: Suffix of the file, empty for a directory.
        write: Writes some series of a run to a path that does not exist yet.
    """

    name: str
    suffix: str
    write: Callable[[RunSnapshot, Sequence[Series], Path], None]


def _csv(run: RunSnapshot, series: Sequence[Series], path: Path) -> None:
    with fresh(path) as out:
        write_points(out, series, Work())


def _json_lines(run: RunSnapshot, series: Sequence[Series], path: Path) -> None:
    with fresh(path) as out:
        write_json_lines(out, series)


def _tensorboard(run: RunSnapshot, series: Sequence[Series], path: Path) -> None:
    # TensorBoard is imported for those who write its files alone.
    from lossmon.reports.export.event_files import write_event_file

    write_event_file(path, series, run.settings)


EXPORT_FORMATS = {
    one.name: one
    for one in (
        ExportFormat("tensorboard", "", _tensorboard),
        ExportFormat("csv", ".csv", _csv),
        ExportFormat("jsonl", ".jsonl", _json_lines),
    )
}
"""Every format, by name."""


TIME = "wall_time"
"""Key of the time of a record, in seconds since the Unix epoch."""

_Point = tuple[tuple[str, int, float], str, float]
"""Axis, step and time; name of the series; value."""


def write_json_lines(out: TextIO, series: Sequence[Series]) -> None:
    """Write series as records that any reader of JSON lines takes.

    Values that were logged at one step and time share a record. Its position is under the name of
    what it counts (`step`, `epoch`). NaN and infinities are written as Python does (`NaN`).
    """
    points = sorted(_points(series), key=lambda point: (point[0][1], point[0][2], point[0][0]))
    for (axis, step, time), group in groupby(points, key=lambda point: point[0]):
        place: dict[str, float] = {axis: step} if time < 0 else {axis: step, TIME: time}
        record = dict(place)
        for _, name, value in group:
            if name in record:
                # The step was logged more than once.
                _write(out, record)
                record = dict(place)
            record[name] = value
        _write(out, record)


def _write(out: TextIO, record: dict[str, float]) -> None:
    out.write(json_text(json.dumps(record, ensure_ascii=False)) + "\n")


def _points(series: Sequence[Series]) -> Iterator[_Point]:
    taken = {TIME, *(_key(one.axis) for one in series)}
    for one, name in zip(series, series_names(series), strict=True):
        axis = _key(one.axis)
        if name == axis and np.array_equal(one.values, one.steps):
            # The position of a record says it already.
            continue
        key = f"{name} (value)" if name in taken else name
        columns = (one.steps.tolist(), one.wall_times.tolist(), one.values.tolist())
        for step, time, value in zip(*columns, strict=True):
            # NaN differs from itself, which would put each point in a record of its own.
            yield (axis, step, time if math.isfinite(time) else -1.0), key, value


def _key(axis: Axis) -> str:
    """Key of the position of a record; numbered points count as steps."""
    return Axis.STEP.value if axis is Axis.ORDER else axis.value


def export(
    paths: Sequence[Path],
    config: Config,
    format_: ExportFormat,
    directory: Path,
    metrics: Sequence[str] = (),
) -> list[Path]:
    """Write the points of every run under the paths.

    Args:
        paths: Run directories or log files.
        format_: Row of `EXPORT_FORMATS`.
        directory: Where to write; is created if needed.
        metrics: Patterns of the series to write, see `fitting`; all if empty.

    Returns:
        The files or directories written, one per run.

    Raises:
        ConfigError: Something cannot be written, or no series matches a pattern.
    """
    runs = list(_read(paths, config))
    chosen = [(run, fitting(run, metrics)) for run in runs]
    chosen = [(run, series) for run, series in chosen if series]
    if runs and not chosen:
        raise ConfigError(f"no series matches --metric {' '.join(metrics)}")
    written: list[Path] = []
    names = unique(safe_name(run.name) for run, _ in chosen)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for (run, series), name in zip(chosen, names, strict=True):
            path = directory / f"{name}{format_.suffix}"
            format_.write(run, series, path)
            written.append(path)
    except OSError as error:
        raise ConfigError(f"{error.filename or directory}: {error.strerror or error}") from error
    return written


def _read(paths: Sequence[Path], config: Config) -> Iterator[RunSnapshot]:
    """Read the runs under the paths with every point and with their settings files."""
    for monitor in monitors(paths, config, whole=True):
        runs = with_metrics(monitor.drain())
        monitor.load_settings(run.path for run in runs)
        known = {run.path: run for run in monitor.poll().runs}
        yield from (known.get(run.path, run) for run in runs)
