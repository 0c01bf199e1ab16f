"""The points of a run as CSV: one row a point, the names as the framework wrote them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from lossmon.types import Floats, Ints, Series
from lossmon.ui.export.progress import Work

HEADER = ("series", "tag", "split", "axis", "step", "wall_time", "value")
"""`axis` says what `step` counts; `wall_time` is in seconds since the Unix epoch, empty where the
framework told none; `value` has all of its digits, `nan` and `inf` included."""

CHUNK = 20_000
"""Rows between two looks at whether the work should go on: about a fiftieth of a second."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run as a formula at the start of a text."""


def write_points(
    out: TextIO,
    series: Sequence[Series],
    work: Work,
    steps: tuple[float, float] | None = None,
) -> int:
    """Write series one behind the other.

    Args:
        out: Where to write; opened with `newline=""`.
        series: What to write.
        work: Told how far it is.
        steps: Write only what lies between these two, ends included; None writes everything.

    Returns:
        How many points were written.

    Raises:
        Cancelled: The user asked to end it.
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
            one.meaning.split.value,
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
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA) else text
