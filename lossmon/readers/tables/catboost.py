"""CatBoost's `catboost_training.json` and the tables beside it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from lossmon.readers.files.lines import decode
from lossmon.readers.records.columns import ColumnRoles, MetricColumns
from lossmon.readers.records.frame import FrameBuilder, RecordFrame
from lossmon.readers.records.json_records import parse_whole
from lossmon.readers.records.reader import LineFault, RecordReader
from lossmon.readers.tables.frameworks import table
from lossmon.types import Axis

_COLUMNS = ColumnRoles(
    steps=("iteration", "iter"), axis=Axis.ROUND, ignored=frozenset({"passed_time"})
)


class TrainingParser:
    """Parses a JSON document that is written line by line and closed at the end of the training.

    One line holds the names of the metrics, and each following one the values of an iteration.
    """

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._planned: object = None

    def parse(self, text: bytes) -> tuple[RecordFrame, list[LineFault]]:
        """Return one record an iteration; lines that are none are part of the document."""
        cells, n = FrameBuilder(), 0
        for line in text.splitlines():
            one = decode(line).strip().rstrip(",")
            if one.startswith('"meta"'):
                self._learn(one)
                continue
            record = parse_whole(one)
            if record is not None and "iteration" in record:
                self._add(cells, n, record)
                n += 1
        return cells.frame(n), []

    def is_whole(self, line: str, quiet: bool) -> bool:
        """An unfinished line waits: every record is followed by a comma or a bracket."""
        return False

    def _learn(self, text: str) -> None:
        try:
            meta = json.loads("{" + text + "}")["meta"]
        except (ValueError, RecursionError, KeyError):
            return
        if not isinstance(meta, dict):
            return
        self._planned = meta.get("iteration_count")
        for kind in ("learn", "test"):
            sets, metrics = meta.get(f"{kind}_sets"), meta.get(f"{kind}_metrics")
            names = [
                str(metric.get("name", at)) if isinstance(metric, dict) else str(at)
                for at, metric in enumerate(metrics if isinstance(metrics, list) else ())
            ]
            for name in sets if isinstance(sets, list) else ():
                self._names[str(name)] = names

    def _add(self, cells: FrameBuilder, row: int, record: object) -> None:
        assert isinstance(record, dict)
        for key, value in record.items():
            names = self._names.get(key)
            if isinstance(value, list) and names is not None:
                for name, one in zip(names, value, strict=False):
                    cells.add(row, f"{key}/{name}", one)
            elif key == "remaining_time":
                cells.add(row, "time_remaining", value)
            elif not isinstance(value, list):
                cells.add(row, key, value)
        cells.add(row, "total_iters", self._planned)


def _layout(axis: Axis | None, columns: ColumnRoles = _COLUMNS) -> MetricColumns:
    return MetricColumns(axis, columns)


def open_document(path: Path) -> RecordReader:
    return RecordReader(path, "catboost", TrainingParser, _layout)


def open_table(path: Path) -> RecordReader:
    split = path.name.partition("_")[0]
    columns = ColumnRoles(steps=("iter",), axis=Axis.ROUND, prefix=f"{split}/")
    return table(path, "catboost", partial(_layout, columns=columns))
