"""Tables and texts in W&B's history: model outputs, PR and ROC curves, and files beside the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lossmon.readers.files.attachments import read_attachment
from lossmon.readers.records.sample_parts import rows_of, split_text
from lossmon.readers.values import is_step, number
from lossmon.readers.wandb.items import TABLE, LoggedText
from lossmon.sanitize import multiline, one_line
from lossmon.types import ClassifierCurve, PrCurve, RocCurve, TextSample

LARGEST = 8 << 20
"""Bytes of the largest table that is read: some thousand answers. A larger one is a data set."""

_ENDING = ".table.json"


def samples(run: Path, texts: Iterable[LoggedText]) -> Iterator[TextSample]:
    """Yield the model outputs in texts and tables.

    Args:
        run: Directory of the log; its media are in `files/media`.
        texts: Texts of the history, oldest first.
    """
    for one in texts:
        try:
            text = json.loads(one.text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(text, str):
            continue
        if one.key.startswith(TABLE):
            yield from _table(run, one.key.removeprefix(TABLE), one.step, text)
        else:
            for parts in split_text(multiline(text)):
                yield TextSample(one.key, one.step, parts.output, parts.prompt, parts.expected)


def table_of(content: bytes) -> tuple[list[object], list[object]]:
    """Names of the columns and rows of a table's file; both empty where it is not one."""
    try:
        table = json.loads(content)
    except (ValueError, RecursionError):
        return [], []
    columns = table.get("columns") if isinstance(table, dict) else None
    rows = table.get("data") if isinstance(table, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        return [], []
    return columns, rows


def _table(run: Path, name: str, step: int, path: str) -> Iterator[TextSample]:
    if not path.endswith(_ENDING):
        return
    content = read_attachment(run / "files", path, LARGEST)
    if content is None:
        content = read_attachment(run, path, LARGEST)
    for parts, named in rows_of(*table_of(content or b"")):
        own = number(named)
        at = int(own) if own is not None and is_step(own) else step
        yield TextSample(name, at, parts.output, parts.prompt, parts.expected)


_HEAD = 300
"""Bytes of a table that hold the names of its columns."""

_LARGEST = 4 << 20
"""Bytes of the largest table that is read; W&B itself keeps 10,000 rows."""

_MOST_CLASSES = 100

_LONGEST = 60
"""Characters of the name of a class."""


_CURVES: dict[tuple[str, str], type[ClassifierCurve]] = {
    ("recall", "precision"): PrCurve,
    ("fpr", "tpr"): RocCurve,
}
"""Kinds of curves, by the columns of their horizontal and their vertical axis."""


def classifier_curves(run: Path, path: str) -> dict[str, ClassifierCurve]:
    """The PR or ROC curves in the file of a table, by class.

    Args:
        path: Path of the file, as the log names it; untrusted.

    Returns:
        Nothing for every other table, and for a file that is not there.
    """
    head = read_attachment(run / "files", path, _HEAD) or b""
    if not any(all(f'"{name}"'.encode() in head for name in axes) for axes in _CURVES):
        return {}
    columns, rows = table_of(read_attachment(run / "files", path, _LARGEST) or b"")
    axes = next((one for one in _CURVES if all(name in columns for name in one)), None)
    if axes is None:
        return {}
    found = _by_class(columns, axes, [row for row in rows if isinstance(row, list)])
    return {name: _curve(axes, points) for name, points in found.items()}


def _by_class(
    columns: list[object], axes: tuple[str, str], rows: list[list[object]]
) -> dict[str, list[tuple[float, float]]]:
    places = [columns.index(name) for name in axes]
    label = columns.index("class") if "class" in columns else None
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if len(row) < len(columns):
            continue
        x, y = (number(row[at]) for at in places)
        if x is None or y is None or not (0 <= x <= 1 and 0 <= y <= 1):
            continue
        name = "" if label is None else one_line(str(row[label]), _LONGEST)
        if name in points or len(points) < _MOST_CLASSES:
            points.setdefault(name, []).append((x, y))
    return points


def _curve(axes: tuple[str, str], points: list[tuple[float, float]]) -> ClassifierCurve:
    x, y = np.array(points).T
    order = np.argsort(x, kind="stable")
    return _CURVES[axes](y[order], x[order])
