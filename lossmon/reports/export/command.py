"""Export of every run under some paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.reports.check import monitors, with_metrics
from lossmon.reports.export.files import safe_name, unique
from lossmon.reports.export.formats import ExportFormat
from lossmon.reports.series_names import fitting
from lossmon.types import RunSnapshot


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
        config: Settings.
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
