"""Export formats: one row per format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lossmon.reports.export.files import fresh
from lossmon.reports.export.json_lines import write_json_lines
from lossmon.reports.export.points import write_points
from lossmon.reports.export.progress import Work
from lossmon.types import RunSnapshot, Series


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
