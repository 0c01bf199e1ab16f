"""JSON lines of frameworks, known by their keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from lossmon.readers.format import Format
from lossmon.readers.jsonl.reader import RANK, json_lines
from lossmon.readers.records.columns import Columns, MetricColumns
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.records.sniff import fields, first_records, text_of

_DETECTRON = Columns(steps=("iteration",), ignored=frozenset({"data_time"}))
_SB3 = Columns(
    steps=("time/total_timesteps",), ignored=frozenset({"time/iterations", "time/time_elapsed"})
)
_RAY = Columns(
    steps=("training_iteration",),
    ignored=frozenset({"time_this_iter_s", "time_total_s", "timesteps_since_restore"}),
)
_VERL = Columns(steps=("step", "data/training/global_step"), dropped="data/")


def _has(*names: str) -> Callable[[Path, bytes], bool]:
    """Claims JSON lines of which one holds all of some keys."""

    def claims(path: Path, head: bytes) -> bool:
        records = first_records(head)
        if records:
            return any(set(names) <= record.keys() for record in records)
        # A first line that is longer than the head.
        text = text_of(head).lstrip()
        return text.startswith("{") and set(names) <= {name for name, _, _ in fields(text)}

    return claims


def _claims_verl(path: Path, head: bytes) -> bool:
    records = first_records(head)
    return bool(records) and all(
        record.keys() == {"step", "data"} and isinstance(record["data"], dict) for record in records
    )


def _open(source: str, columns: Columns, path: Path) -> RecordReader:
    return json_lines(path, source, lambda axis: MetricColumns(axis, columns))


FORMATS = (
    Format(
        source="detectron2",
        title="Detectron2 metrics.json",
        names=("metrics.json",),
        claims=_has("iteration"),
        open=partial(_open, "detectron2", _DETECTRON),
        rank=RANK,
    ),
    Format(
        source="sb3",
        title="Stable-Baselines3 progress.json",
        names=("progress.json",),
        claims=_has("time/total_timesteps"),
        open=partial(_open, "sb3", _SB3),
        rank=RANK,
    ),
    Format(
        source="ray",
        title="Ray Tune result.json",
        names=("result.json",),
        claims=_has("training_iteration"),
        open=partial(_open, "ray", _RAY),
        rank=RANK,
    ),
    Format(
        source="verl",
        title="verl file logger",
        names=("*.jsonl",),
        claims=_claims_verl,
        open=partial(_open, "verl", _VERL),
        rank=RANK,
    ),
)
