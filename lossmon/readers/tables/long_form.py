"""Logs with one value a record, whose name stands in another column."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.readers.format import Format
from lossmon.readers.jsonl.reader import RANK as LIVE_RANK
from lossmon.readers.jsonl.reader import USEFUL_TEXTS, JsonParser
from lossmon.readers.records.axis import STEP_NAMES, StepAxis, plain
from lossmon.readers.records.columns import MOST_TAGS, Found, wall_times
from lossmon.readers.records.frame import Column, Frame, clean_name
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.records.sniff import names_place, words
from lossmon.readers.tables.reader import RANK, TableParser, header_names
from lossmon.types import Axis, Points

_SPLIT_WORDS = "train training eval evaluation val valid validation test dev"
_SPLITS = frozenset(_SPLIT_WORDS.split())

_TAG_NAMES = ("tag", "metric", "metric_name", "key", "name")
"""Columns that can name the value of a record, the surest first."""

_SPLIT_NAMES = ("split", "phase", "mode", "set", "dataset", "partition")
"""Columns that can say on what data it was measured."""


_TEXTS = USEFUL_TEXTS | frozenset((*_TAG_NAMES, *_SPLIT_NAMES))


@dataclass(frozen=True, slots=True)
class LongColumns:
    """Which columns of a long table hold what.

    Attributes:
        tag: The name of the value.
        value: The value.
        split: The data it was measured on, or a second name; empty where there is none.
    """

    tag: str
    value: str
    split: str = ""


class LongForm:
    """The layout of a log that holds one named value a record.

    Args:
        columns: Which columns hold what; None where the names of the first record tell.
        axis: What the file is known to count, None at first sight.
        step_names: Names to take the step from, the surest first.
    """

    def __init__(
        self,
        columns: LongColumns | None,
        axis: Axis | None = None,
        step_names: tuple[str, ...] = STEP_NAMES,
    ) -> None:
        self._columns = columns
        self._steps = StepAxis(axis or Axis.STEP, step_names)
        self._tags: set[str] = set()

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add each value to the series of its name."""
        columns = self._columns or _long_columns([*frame.columns, *frame.texts])
        values = frame.columns.get(columns.value) if columns else None
        if columns is None or values is None:
            return
        self._columns = columns
        place = self._steps.place(frame)
        walls, _ = wall_times(frame)
        for tag, column in self._series(frame, columns, values).items():
            rows = column.rows
            order = first + rows
            found.points.append(
                Points(tag, place.steps[rows], walls[rows], column.values, order, place.axis)
            )

    def _series(self, frame: Frame, columns: LongColumns, values: Column) -> dict[str, Column]:
        names = dict(frame.texts.get(columns.tag, ()))
        splits = dict(frame.texts.get(columns.split, ()))
        rows: dict[str, list[int]] = {}
        for at, row in enumerate(values.rows.tolist()):
            name = names.get(row)
            if name is None:
                continue
            tag = joined(clean_name(name), clean_name(splits.get(row, "")))
            if tag in self._tags or len(self._tags) < MOST_TAGS:
                self._tags.add(tag)
                rows.setdefault(tag, []).append(at)
        return {tag: Column(values.rows[at], values.values[at]) for tag, at in rows.items()}


def joined(name: str, split: str) -> str:
    """Return the tag of a value, its split first: `train/loss`."""
    if not split or split == name:
        return name
    if words(split) & _SPLITS or not words(name) & _SPLITS:
        return f"{split}/{name}"
    return f"{name}/{split}"


def _long_columns(names: list[str]) -> LongColumns | None:
    """Which columns of a table hold a name and a value, None if it is not of this form."""
    short = {plain(name): name for name in names}
    tag = next((short[name] for name in _TAG_NAMES if name in short), "")
    if not tag or "value" not in short or not any(map(names_place, names)):
        return None
    split = next((short[name] for name in _SPLIT_NAMES if name in short), "")
    return LongColumns(tag, short["value"], split)


def _claims_table(path: Path, head: bytes) -> bool:
    return _long_columns(header_names(head)) is not None


def _open_table(path: Path) -> RecordReader:
    return RecordReader(
        path, "csv", partial(TableParser, _TEXTS), lambda axis: LongForm(None, axis)
    )


_CLEARML = LongColumns("metric", "value", "variant")


def _claims_clearml(path: Path, head: bytes) -> bool:
    return head.lstrip().startswith(b"[") and b'"training_stats_scalar"' in head


def _open_clearml(path: Path) -> RecordReader:
    parser = partial(JsonParser, USEFUL_TEXTS | {"metric", "variant"})
    return RecordReader(path, "clearml", parser, lambda axis: LongForm(_CLEARML, axis, ("iter",)))


FORMATS = (
    Format(
        source="clearml",
        title="ClearML offline session",
        names=("metrics.jsonl",),
        claims=_claims_clearml,
        open=_open_clearml,
        rank=LIVE_RANK,
    ),
    Format(
        source="csv",
        title="CSV table of named values",
        names=("*.csv", "*.tsv"),
        claims=_claims_table,
        open=_open_table,
        rank=RANK,
    ),
)
