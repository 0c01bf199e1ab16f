"""`lossmon report`: pages and points of runs without opening the screen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.reports.export.files import Work, file_name, fresh, unique
from lossmon.reports.export.points import write_points
from lossmon.ui.chart.view_options import chart_settings_of
from lossmon.ui.export.report import page


def report(paths: Sequence[Path], config: Config, directory: Path, csv: bool) -> list[Path]:
    """Write a page, and the points if wanted, for every run under the paths.

    Args:
        paths: What to read; each is one run unless it holds several.
        config: Settings.
        directory: Where the files go; made if it is not there.
        csv: Write the points too.

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
