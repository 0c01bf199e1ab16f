"""Readers for MLflow's file store: a file per metric, and a document about the run."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.files.lines import decode
from lossmon.readers.hyperparameters import facts_of_texts
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import FrameBuilder, RecordFrame
from lossmon.readers.records.names import clean_name, name_below
from lossmon.readers.records.reader import LineFault, RecordReader
from lossmon.readers.tables.cells import parse_rows
from lossmon.readers.tables.detection import TableHeader
from lossmon.readers.values import moment, number
from lossmon.regular_file import open_regular
from lossmon.types import Axis, Batch, Facts

_LARGEST = 1 << 16
"""Bytes of a file of settings that are read."""

_MOST_PARAMETERS = 1000
"""Parameters of a run that are taken."""

_FIELD = re.compile(r"^(\w+): *(.*)$", re.MULTILINE)

_STATES = {"4": "failed", "5": "killed"}
_FINISHED = "3"


class MlflowLines:
    """Parses the lines of a metric in MLflow's file store: milliseconds, value and step."""

    def __init__(self) -> None:
        self._header: TableHeader | None = None

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return one record a line; old versions write no step."""
        if self._header is None:
            first = next(filter(bytes.strip, text.splitlines()), b"")
            if not first:
                return FrameBuilder().frame(0), []
            names = ("timestamp", "value", "step")[: len(decode(first).split())]
            self._header = TableHeader(names, " ", False, b"")
        frame, faults, _ = parse_rows(text, self._header, frozenset())
        return frame, faults

    def is_whole(self, line: str, quiet: bool) -> bool:
        """An unfinished line waits: MLflow ends each one."""
        return False


class MlflowRun:
    """Reads `meta.yaml`, which says how a run of MLflow's file store is doing."""

    source = "mlflow"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = Facts()

    def read(self, deadline: float) -> Batch:
        """Return the name, the beginning, the end and the parameters of the run, if any is new.

        Raises:
            ReadError: The file may not be read.
        """
        text = _small_text(self.path)
        fields = {key: value.strip().strip("'\"") for key, value in _FIELD.findall(text)}
        started = number(fields.get("start_time"))
        status = fields.get("status", "")
        facts = replace(
            # They are logged after the document was written.
            facts_of_texts(_parameters(self.path.parent / "params")),
            name=clean_name(fields.get("run_name", "")) or None,
            started=moment(started) if started is not None else None,
            # A run that is taken up again says that it is running, where it had ended before.
            finished=status == _FINISHED,
            failure=_STATES.get(status, ""),
        )
        if facts == self._known:
            return Batch()
        self._known = facts
        return Batch(facts=(facts,))


def _small_text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return decode(file.read(_LARGEST))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror or error}") from error


def _parameters(folder: Path) -> dict[str, str]:
    """The parameters of a run, one a file; the parts of a name are directories."""
    found: dict[str, str] = {}
    for directory, inner, names in os.walk(folder):
        inner.sort()
        for name in sorted(names)[: _MOST_PARAMETERS - len(found)]:
            file = Path(directory, name)
            if file.is_file() and not file.is_symlink():
                key = clean_name(file.relative_to(folder).as_posix())
                found[key] = clean_name(_small_text(file))
        if len(found) >= _MOST_PARAMETERS or len(inner) > _MOST_PARAMETERS:
            break
    return dict(sorted(found.items()))


def open_metric(path: Path) -> RecordReader:
    """Return a reader of the file of one metric, whose name is its path below `metrics`."""
    columns = ColumnRoles(
        steps=("step",), renamed={"value": name_below(path, "metrics") or path.name}
    )
    return RecordReader(
        path, "mlflow", MlflowLines, lambda axis: MetricColumns(axis or Axis.STEP, columns)
    )
