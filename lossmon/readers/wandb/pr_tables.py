"""PR curves of W&B: tables of precision and recall, as `wandb.plot.pr_curve` logs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossmon.readers.files.attachments import read_attachment
from lossmon.readers.values import number
from lossmon.readers.wandb.tables import table_of
from lossmon.sanitize import one_line
from lossmon.types import PrCurve

_HEAD = 300
"""Bytes of a table that hold the names of its columns."""

_LARGEST = 4 << 20
"""Bytes of the largest table that is read; W&B itself keeps 10,000 rows."""

_MOST_CLASSES = 100

_LONGEST = 60
"""Characters of the name of a class."""


def pr_curves(run: Path, path: str) -> dict[str, PrCurve]:
    """The curves in the file of a table, by class.

    Args:
        run: Directory of the log.
        path: Path of the file, as the log names it; untrusted.

    Returns:
        Nothing for every other table, and for a file that is not there.
    """
    head = read_attachment(run / "files", path, _HEAD) or b""
    if b'"precision"' not in head or b'"recall"' not in head:
        return {}
    columns, rows = table_of(read_attachment(run / "files", path, _LARGEST) or b"")
    if not {"precision", "recall"} <= {one for one in columns if isinstance(one, str)}:
        return {}
    return _by_class(columns, [row for row in rows if isinstance(row, list)])


def _by_class(columns: list[object], rows: list[list[object]]) -> dict[str, PrCurve]:
    places = [columns.index(name) for name in ("recall", "precision")]
    label = columns.index("class") if "class" in columns else None
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if len(row) < len(columns):
            continue
        recall, precision = (number(row[at]) for at in places)
        if recall is None or precision is None or not (0 <= recall <= 1 and 0 <= precision <= 1):
            continue
        name = "" if label is None else one_line(str(row[label]), _LONGEST)
        if name in points or len(points) < _MOST_CLASSES:
            points.setdefault(name, []).append((recall, precision))
    return {name: _curve(found) for name, found in points.items()}


def _curve(points: list[tuple[float, float]]) -> PrCurve:
    recall, precision = np.array(points).T
    order = np.argsort(recall, kind="stable")
    return PrCurve(precision[order], recall[order])
