"""CSV tables of frameworks, known by their headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lossmon.readers.format import Format
from lossmon.readers.records.columns import Columns, Found, MetricColumns
from lossmon.readers.records.frame import Frame, clean_name
from lossmon.readers.records.reader import RecordReader
from lossmon.readers.records.sniff import is_known_other
from lossmon.readers.tables.reader import RANK, header_names, table
from lossmon.types import Axis, Facts

_LARGEST_ARGS = 1 << 16
"""Bytes of a file of settings that are looked at."""

_EPOCHS = re.compile(r"^epochs:\s*(\d{1,9})\s*$", re.MULTILINE)


def planned_epochs(path: Path) -> float | None:
    """Return the planned epochs from the `args.yaml` beside a table, None where it says none."""
    try:
        with (path.parent / "args.yaml").open("rb") as file:
            text = file.read(_LARGEST_ARGS).decode(errors="replace")
    except OSError:
        return None
    match = _EPOCHS.search(text)
    return float(match[1]) if match is not None else None


class PlannedTable:
    """The layout of a table whose planned epochs stand in a file beside it."""

    def __init__(self, axis: Axis | None, path: Path, columns: Columns | None = None) -> None:
        self._metrics = MetricColumns(axis, columns)
        self._path = path
        self._asked = False

    def take(self, frame: Frame, first: int, found: Found) -> None:
        """Add the points of every quantity, and once the plan."""
        self._metrics.take(frame, first, found)
        if frame.n and not self._asked:
            self._asked = True
            epochs = planned_epochs(self._path)
            if epochs:
                found.facts.append(Facts(total_epochs=epochs))


_LIGHTNING = Columns(steps=("step",))
_SB3 = Columns(
    steps=("time/total_timesteps",), ignored=frozenset({"time/iterations", "time/time_elapsed"})
)
_RAY = Columns(
    steps=("training_iteration",),
    ignored=frozenset({"time_this_iter_s", "time_total_s", "timesteps_since_restore"}),
)


def _has(*names: str) -> Callable[[Path, bytes], bool]:
    """Claims a table whose header holds all of some names."""

    def claims(path: Path, head: bytes) -> bool:
        return set(names) <= set(header_names(head))

    return claims


def _claims_lightning(path: Path, head: bytes) -> bool:
    names = header_names(head)
    beside = path.parent.name.startswith("version_") or (path.parent / "hparams.yaml").exists()
    return "step" in names and ("epoch" in names or beside)


def _claims_keras(path: Path, head: bytes) -> bool:
    """Keras puts the epoch first and sorts the other names.

    A table of losses alone can be anybody's, and is read alike; only in a file that is not called
    a table it is taken for Keras' own.
    """
    names = header_names(head)
    rest = names[1:]
    if is_known_other(path) or names[:1] != ["epoch"] or rest != sorted(rest):
        return False
    if "loss" not in rest or any("/" in name for name in names):
        return False
    measured = any(f"val_{name}" in rest for name in rest if name != "loss")
    return measured or ("val_loss" in rest and path.suffix.lower() != ".csv")


def _claims_detection(path: Path, head: bytes) -> bool:
    names = header_names(head)
    return names[:1] == ["epoch"] and not {"train/box_loss", "train/cls_loss"}.isdisjoint(names)


def _claims_timm(path: Path, head: bytes) -> bool:
    names = header_names(head)
    return names[:2] == ["epoch", "train_loss"] and "eval_loss" in names


def _claims_fastai(path: Path, head: bytes) -> bool:
    names = header_names(head)
    return names[:2] == ["epoch", "train_loss"] and names[-1:] == ["time"]


def _claims_export(path: Path, head: bytes) -> bool:
    return [name.lower() for name in header_names(head)] == ["wall time", "step", "value"]


def _open_export(path: Path) -> RecordReader:
    """What TensorBoard calls `run-<run>-tag-<tag>.csv` holds the curve of one tag."""
    tag = clean_name(path.stem.rpartition("-tag-")[2])
    columns = Columns(steps=("step",), renamed={"value": tag})
    return table(path, "tensorboard_csv", lambda axis: MetricColumns(axis, columns))


def _open(source: str, columns: Columns | None, path: Path) -> RecordReader:
    return table(path, source, lambda axis: MetricColumns(axis, columns))


def _open_planned(source: str, path: Path) -> RecordReader:
    return table(path, source, lambda axis: PlannedTable(axis, path))


FORMATS = (
    Format(
        source="lightning",
        title="Lightning CSVLogger",
        names=("metrics.csv",),
        claims=_claims_lightning,
        open=partial(_open, "lightning", _LIGHTNING),
        rank=RANK,
    ),
    Format(
        source="ultralytics",
        title="Ultralytics results.csv",
        names=("results.csv",),
        claims=_claims_detection,
        open=partial(_open_planned, "ultralytics"),
        rank=RANK,
    ),
    Format(
        source="timm",
        title="timm summary.csv",
        names=("summary.csv",),
        claims=_claims_timm,
        open=partial(_open_planned, "timm"),
        rank=RANK,
    ),
    Format(
        source="fastai",
        title="fastai CSVLogger",
        names=("*.csv",),
        claims=_claims_fastai,
        open=partial(_open, "fastai", None),
        rank=RANK,
    ),
    Format(
        source="sb3_csv",
        title="Stable-Baselines3 progress.csv",
        names=("progress.csv",),
        claims=_has("time/total_timesteps"),
        open=partial(_open, "sb3_csv", _SB3),
        rank=RANK,
    ),
    Format(
        source="ray_csv",
        title="Ray Tune progress.csv",
        names=("progress.csv",),
        claims=_has("training_iteration"),
        open=partial(_open, "ray_csv", _RAY),
        rank=RANK,
    ),
    Format(
        source="tensorboard_csv",
        title="TensorBoard CSV download",
        names=("*.csv",),
        claims=_claims_export,
        open=_open_export,
        rank=RANK,
    ),
    Format(
        source="keras",
        title="Keras CSVLogger",
        names=("*.csv", "*.log", "*.txt"),
        claims=_claims_keras,
        open=partial(_open, "keras", None),
        rank=RANK,
    ),
)
