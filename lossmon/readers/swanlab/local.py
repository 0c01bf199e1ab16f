"""SwanLab's local logs and settings: a directory per metric, its points as JSON lines."""

from __future__ import annotations

import os
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.files.sqlite import BusyError, visit
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.json_records import json_lines
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.settings.reader import SettingsReader, settings
from lossmon.types import Facts

_SYSTEM = "__swanlab__."


def open_local(path: Path) -> RecordReader:
    """Return a reader of the points of one metric."""
    run = path.parent.parent.parent
    tag = metric_name(run, path.parent.name)
    columns = ColumnRoles(
        steps=("index",),
        ignored=frozenset({"data"}) if not tag and _has_record(run) else frozenset(),
        renamed={"data": tag or f"metric {path.parent.name}"},
    )
    return json_lines(path, "swanlab", lambda axis: MetricColumns(axis, columns))


def _has_record(run: Path) -> bool:
    """Whether the run's own record, which has all names, is beside its logs."""
    try:
        return any(name.endswith(".swanlab") for name in os.listdir(run))
    except OSError:
        return False


def metric_name(run: Path, folder: str) -> str:
    """Ask the database beside the runs which metric a directory holds.

    Args:
        folder: Name of the directory with the metric's points.

    Returns:
        The metric's key, empty where the database does not know it or is not there.
    """
    query = (
        "SELECT t.name FROM tag t JOIN experiment e ON t.experiment_id = e.id "
        "WHERE e.run_id = ? AND t.folder = ? LIMIT 1"
    )
    try:
        with visit(run.parent / "runs.swanlab") as connection:
            row = connection.execute(query, (run.name, folder)).fetchone()
    except (BusyError, ReadError, OSError):
        return ""
    if row is None or not isinstance(row[0], str):
        return ""
    return f"system/{row[0].removeprefix(_SYSTEM)}" if row[0].startswith(_SYSTEM) else row[0]


def _facts(path: Path, text: str) -> Facts:
    """Each setting comes with its description and its place in a list."""
    return facts_of(
        {
            ".".join((place[0], *place[2:])): value
            for place, value in settings(text).items()
            if len(place) > 1 and place[1] == "value"
        }
    )


def open_settings(path: Path) -> SettingsReader:
    """Return a reader of `config.yaml`."""
    return SettingsReader(path, "swanlab", _facts)
