"""Points of a run as CSV: one row per point."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from lossmon.reports.export.files import Work
from lossmon.types import Floats, Ints, Kind, Series

HEADER = ("series", "tag", "split", "axis", "step", "wall_time", "value")
"""`axis` is what `step` counts; `wall_time` is in seconds since the Unix epoch, or empty;
`value` may be `nan` or `inf`."""

_MEASURED = (Kind.LOSS, Kind.METRIC)
"""Kinds of series that are measured on a split; the column is empty for others."""

CHUNK = 20_000
"""Rows between two checks for cancellation: about a fiftieth of a second."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a text that a spreadsheet takes for a formula."""


def write_points(
    out: TextIO,
    series: Sequence[Series],
    work: Work,
    steps: tuple[float, float] | None = None,
) -> int:
    """Write series one after another.

    Args:
        out: Text file, opened with `newline=""`.
        steps: First and last step to write; None writes all points.

    Returns:
        Number of points written.

    Raises:
        Cancelled: The user cancelled the work.
    """
    table = csv.writer(out, lineterminator="\n")
    table.writerow(HEADER)
    parts = [(one, *_between(one.steps, steps)) for one in series]
    total = sum(end - begin for _, begin, end in parts)
    done = 0
    for one, begin, end in parts:
        head = (
            _harmless(one.meaning.label),
            _harmless(one.tag),
            one.meaning.split.value if one.meaning.kind in _MEASURED else "",
            one.axis.value,
        )
        for start in range(begin, end, CHUNK):
            stop = min(end, start + CHUNK)
            work.reach(done, total)
            table.writerows(
                (*head, step, time, value)
                for step, time, value in zip(
                    one.steps[start:stop].tolist(),
                    _times(one.wall_times[start:stop]),
                    one.values[start:stop].tolist(),
                    strict=True,
                )
            )
            done += stop - start
    work.reach(total, total)
    return total


def _between(steps: Ints, limits: tuple[float, float] | None) -> tuple[int, int]:
    if limits is None:
        return 0, len(steps)
    low, high = limits
    return int(np.searchsorted(steps, low)), int(np.searchsorted(steps, high, side="right"))


def _times(wall_times: Floats) -> list[float | str]:
    known = np.isfinite(wall_times)
    return [
        time if there else ""
        for time, there in zip(wall_times.tolist(), known.tolist(), strict=True)
    ]


def _harmless(text: str) -> str:
    """A text that no spreadsheet evaluates."""
    return "'" + text if text.startswith(FORMULA) else text
