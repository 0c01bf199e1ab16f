"""Recorded runs as columns in the order they were logged."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from lossmon.readers.tags.meaning import meaning
from lossmon.types import Kind, Meaning, Split

MEANINGS = [
    Meaning("learning_rate", "learning rate", Split.TRAIN, Kind.LEARNING_RATE),
    Meaning("grad_norm", "gradient norm", Split.TRAIN, Kind.GRAD_NORM),
    Meaning("train/loss", "train loss", Split.TRAIN, Kind.LOSS, lower_is_better=True),
    Meaning("eval/loss", "eval loss", Split.EVAL, Kind.LOSS, lower_is_better=True),
    Meaning("eval/accuracy", "eval accuracy", Split.EVAL, Kind.METRIC, lower_is_better=False),
    Meaning("eval/mae", "eval mae", Split.EVAL, Kind.METRIC, lower_is_better=True),
]
"""Series a benchmark run may hold, further ones added as they are met; points of one step come in
this order."""

TRAIN, EVAL = 2, 3
_SERIES = {
    ("train", "lr"): 0,
    ("train", "grad_norm"): 1,
    ("train", "loss"): TRAIN,
    ("eval", "loss"): EVAL,
    ("eval", "accuracy"): 4,
    ("eval", "mae"): 5,
}


@dataclass(frozen=True)
class Run:
    """One recorded run.

    Attributes:
        name: Its id.
        series: Index into `MEANINGS` of each point.
        steps: Step of each point; goes back where the run was resumed.
        values: Value of each point.
        label: Condition, or the published label, or empty.
        accept: Verdicts that count as right.
        observable: The curve can show the condition.
        onset: Step at which the condition began, or None.
        task: What was trained, for cross-validation.
    """

    name: str
    series: np.ndarray
    steps: np.ndarray
    values: np.ndarray
    label: str = ""
    accept: frozenset[str] = field(default_factory=frozenset)
    observable: bool = True
    onset: int | None = None
    task: str = ""

    def curve(self, which: int) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values of one series, in logged order."""
        chosen = self.series == which
        return self.steps[chosen], self.values[chosen]

    def resumed(self) -> tuple[np.ndarray, np.ndarray]:
        """The eval loss as a reader sees it in the end: of a repeated step, the newest."""
        steps, values = self.curve(EVAL)
        newest = dict(zip(steps.tolist(), values.tolist(), strict=True))
        last = sorted(newest)
        return np.array(last), np.array([newest[step] for step in last])


def _series_of(split: str, tag: str) -> int:
    """Index into `MEANINGS`."""
    key = (split, tag)
    if key not in _SERIES:
        _SERIES[key] = len(MEANINGS)
        MEANINGS.append(meaning(f"{split}/{tag}"))
    return _SERIES[key]


def faults(folder: Path) -> list[Run]:
    """The runs with an induced condition."""
    with (folder / "index.csv").open(newline="") as file:
        return [_fault(folder, row) for row in csv.DictReader(file)]


def _fault(folder: Path, row: dict[str, str]) -> Run:
    with (folder / "dev" / row["id"] / "curve.csv").open(newline="") as file:
        points = [
            (
                _series_of(line["split"], line["tag"]),
                int(float(line["step"])),
                float(line["value"]),
            )
            for line in csv.DictReader(file)
        ]
    return Run(
        row["id"],
        *_columns(points),
        label=row["condition"],
        accept=frozenset(row["accept"].split("|")),
        observable=row["observable"] == "True",
        onset=int(row["onset_step"]) if row["onset_step"] else None,
        task=row["task"],
    )


def corpus(folder: Path) -> list[Run]:
    """The public training curves."""
    with (folder / "index.csv").open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    with tarfile.open(folder / "curves.tar.xz") as archive:
        texts = list(_curves(archive))
    return [
        Run(name, *_columns(_points(text)), label=row["label"], task=row["leak_group"])
        for name, text in texts
        if (row := rows.get(name)) is not None
    ]


def _curves(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in archive:
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None:
            yield Path(member.name).stem, file.read().decode()


def _points(text: str) -> list[tuple[int, int, float]]:
    """Points of a curve file.

    A file that lists series one after the other is put in step order; one whose steps begin
    again in each epoch is numbered in the order it stands.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    numbered = _counts_within_epochs(rows)
    points = []
    for order, row in enumerate(rows):
        step = order // 2 if numbered or not row["step"] else int(float(row["step"]))
        which = TRAIN if row["split"] == "train" else EVAL
        points.append((which, step, float(row["loss"])))
    changes = sum(a[0] != b[0] for a, b in pairwise(points))
    if changes == 1:
        points.sort(key=lambda point: (point[1], point[0]))
    return points


def _counts_within_epochs(rows: list[dict[str, str]]) -> bool:
    """The steps of a series go back while its epochs go on."""
    train = [row for row in rows if row["split"] == "train" and row["step"] and row["epoch"]]
    return any(
        float(b["step"]) < float(a["step"]) and float(b["epoch"]) > float(a["epoch"])
        for a, b in pairwise(train)
    )


def _columns(
    points: Iterable[tuple[int, int, float]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, with the points of one step in the order of `MEANINGS`."""
    group: list[tuple[int, int, float]] = []
    ordered: list[tuple[int, int, float]] = []
    for point in points:
        if group and point[1] != group[-1][1]:
            ordered += sorted(group, key=lambda item: item[0])
            group = []
        group.append(point)
    ordered += sorted(group, key=lambda item: item[0])
    series = np.array([point[0] for point in ordered], np.int64)
    steps = np.array([point[1] for point in ordered], np.int64)
    return series, steps, np.array([point[2] for point in ordered], np.float64)
